package reload

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/echo"
	"github.com/unilb/unilb/sim/history"
	"github.com/unilb/unilb/sim/traffic"
)

// checkedUpstream is an upstream that probes its targets each second. It takes two
// failures to put one out, so a gateway that forgets sends requests to a dead
// target for a second at least.
func checkedUpstream(bs ...spec.Backend) string {
	return strings.TrimSuffix(upstreamOf(bs...), "}") + `,"checks":{"active":{"type":"http","http_path":"/health","timeout":1,` +
		`"healthy":{"interval":1,"successes":2},"unhealthy":{"interval":1,"http_failures":2}}}}`
}

// healthOver is a case in which a target is out of service before ten edits:
// edit makes one. Backend 0 is the dead one, 1 and 2 are well.
func healthOver(c spec.Case, edit func(ctx context.Context, t *spec.T, i int)) spec.Case {
	c.Level, c.Needs, c.Backends, c.Timeout = spec.Must, []spec.Feature{spec.HotHealth, spec.ActiveChecks}, 3, 3*ask.HealthBound
	c.Run = func(ctx context.Context, t *spec.T) {
		dead := t.Backend(0)
		t.Put(ctx, "upstreams/"+t.ID(), checkedUpstream(dead, t.Backend(1)))
		t.Put(ctx, "routes/"+t.ID(), fmt.Sprintf(`{"host":%q,"uri":"/*","upstream_id":%q}`, t.Host(), t.ID()))
		t.Wait(ctx)
		conns := keep(ctx, t, 1, traffic.Request{Host: t.Host()})
		dead.Server.SetHealth(echo.Sick)
		dead.Server.SetBehaviour(echo.Behaviour{Status: 503}) // what a client sees of a request to it
		for _, c := range conns {
			ask.Until(ctx, t, string(c.Ref)+" takes the dead target out", 20, func() bool {
				b := c.Do(ctx, traffic.Request{Host: t.Host()}).Backend()
				return b != "" && b != dead.Ref
			})
		}
		t.Step("%s is out everywhere; ten edits, under load", dead.Ref)
		streams := askAll(ctx, t)
		for i := range 10 {
			edit(ctx, t, i)
			for _, c := range conns {
				for range 6 {
					r := c.Do(ctx, traffic.Request{Host: t.Host()})
					if r.Reply == nil || r.Reply.Status != 200 || !r.Reply.FromBackend() {
						t.Fatalf("%s: after edit %d: got %s, want 200 from a target that is well: %s was out (op %s)", c.Ref, i+1, ask.Said(r), dead.Ref, r.Op.ID)
					}
				}
			}
		}
		for i, s := range streams {
			h, err := s.Stop(ctx)
			t.Check(err == nil, "%v", err)
			met := slices.IndexFunc(h.Ops, func(o history.Op) bool { return o.Response != nil && o.Response.Backend == dead.Ref })
			if met >= 0 {
				t.Check(false, "%s: of %d requests during the edits one or more went to %s, which was out (op %s)", t.Env().Gateways()[i].Ref, len(h.Ops), dead.Ref, h.Ops[met].ID)
			}
		}
	}
	return c
}

// askAll keeps asking every gateway: a gateway that forgets may learn again before
// it says that an edit is in force.
func askAll(ctx context.Context, t *spec.T) []*traffic.Stream {
	var out []*traffic.Stream
	for i, gw := range t.Env().Gateways() {
		l := traffic.New(fmt.Sprintf("%s-%d", t.ID(), i), gw.Data, traffic.PerSecond(40), traffic.FreshConnections(), traffic.ToHost(t.Host()))
		s, err := traffic.Start(ctx, t.Env().Clients()[:1], t.Env().Recorder(), l)
		if err != nil {
			t.Brokenf("start load: %v", err)
		}
		t.Cleanup(func(ctx context.Context) error { _, _ = s.Stop(ctx); return nil }) // judged by the caller
		out = append(out, s)
	}
	return out
}
