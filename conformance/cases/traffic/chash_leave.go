package traffic

import (
	"context"
	"fmt"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/traffic"
	"github.com/unilb/unilb/topology"
)

// Catches a gateway that divides by the number of targets: when one leaves nearly
// all keys move, and every cache and session with them.
var chashLeave = spec.Case{
	ID: "CHASH-LEAVE", Level: spec.Must, Needs: []spec.Feature{spec.UpstreamChash, spec.HotConfig},
	Title: "When a target leaves only its own keys move, and when it comes back every key is where it was.",
	Refs:  []string{"APISIX 3.18 upstream type chash (a ring)"},
	After: []string{"CHASH-HEADER"},
	Objects: `
-- upstreams/{{.ID}} --
{"type": "chash", "hash_on": "header", "key": "X-User", ` + chashNodes + `}
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream_id": "{{.ID}}"}
`,
	Backends: 4,
	Run: func(ctx context.Context, t *spec.T) {
		where := func(gw spec.Gateway) map[int]topology.Ref {
			s, m := ask.Session(t, gw.Data, traffic.Options{Conns: traffic.ConnPolicy{Keep: 1}}), map[int]topology.Ref{}
			for i := range chashKeys {
				m[i] = picks(ctx, t, s, 1, traffic.Request{Host: t.Host()}.With("X-User", userOf(i)))[0]
			}
			return m
		}
		gw, leaver := t.Env().Gateways()[0], t.Backend(3).Ref
		before := where(gw)
		a, b, c, d := t.Backend(0).Addr, t.Backend(1).Addr, t.Backend(2).Addr, t.Backend(3).Addr
		t.Put(ctx, "upstreams/"+t.ID(), fmt.Sprintf(`{"type": "chash", "hash_on": "header", "key": "X-User", "nodes": {%q: 1, %q: 1, %q: 1}}`, a, b, c))
		t.Wait(ctx)
		for i, now := range where(gw) {
			t.Check(now != leaver, "key %d still goes to the target that has left", i)
			t.Check(before[i] == leaver || now == before[i], "key %d moved from %s to %s, neither of which has left", i, before[i], now)
		}
		t.Put(ctx, "upstreams/"+t.ID(), fmt.Sprintf(`{"type": "chash", "hash_on": "header", "key": "X-User", "nodes": {%q: 1, %q: 1, %q: 1, %q: 1}}`, a, b, c, d))
		t.Wait(ctx)
		for i, now := range where(gw) {
			t.Check(now == before[i], "key %d is on %s after the target came back, before it left on %s", i, now, before[i])
		}
	},
}
