package reload

import (
	"context"
	"fmt"
	"strings"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/echo"
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
		t.Step("%s is out everywhere; ten edits", dead.Ref)
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
	}
	return c
}
