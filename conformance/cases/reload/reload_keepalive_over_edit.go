package reload

import (
	"context"
	"fmt"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/traffic"
)

// Catches a gateway that pins a connection to the configuration it began with,
// or that closes its clients' connections to bring a change into force.
var reloadKeepaliveOverEdit = spec.Case{
	ID: "RELOAD-KEEPALIVE-OVER-EDIT", Level: spec.Must, Needs: []spec.Feature{spec.HotConfig},
	Title: "A client's connection survives edits, and the next request on it already follows the new configuration.",
	Refs:  []string{"APISIX 3.18 hot reload"},
	Objects: `
-- upstreams/{{.ID}} --
{"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream_id": "{{.ID}}"}
`,
	Backends: 2,
	Run: func(ctx context.Context, t *spec.T) {
		var sessions []*traffic.Session
		for _, gw := range t.Env().Gateways() {
			sessions = append(sessions, ask.Session(t, gw.Data, traffic.Options{Conns: traffic.ConnPolicy{Keep: 1}}))
		}
		for i := range 6 {
			want := t.Backend(i % 2)
			if i > 0 {
				t.Put(ctx, "upstreams/"+t.ID(), fmt.Sprintf(`{"type":"roundrobin","nodes":{%q:1}}`, want.Addr))
				t.Wait(ctx)
			}
			for g, s := range sessions {
				r := s.Do(ctx, traffic.Request{Host: t.Host()})
				gw := t.Env().Gateways()[g].Ref
				t.Check(r.Backend() == want.Ref, "%s: after edit %d: got %s, want %s (op %s)", gw, i, ask.Said(r), want.Ref, r.Op.ID)
				t.Check(r.Op.Reused == i, "%s: after edit %d the connection had carried %d requests, want %d: it was closed", gw, i, r.Op.Reused, i)
			}
		}
	},
}
