package traffic

import (
	"context"
	"fmt"
	"net/http"

	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/echo"
	"github.com/unilb/unilb/sim/traffic"
)

// passiveCase is a case about a target that does something to every request, and of
// which the health check knows nothing: it comes once a minute. By the thresholds of
// two it may get a few requests, not its share.
func passiveCase(c spec.Case, bad echo.Behaviour) spec.Case {
	c.Level, c.Needs, c.Backends = spec.Must, []spec.Feature{spec.PassiveChecks}, 2
	c.Run = func(ctx context.Context, t *spec.T) {
		const requests, bound = 60, 15 // of which 30 would be its share; a gateway may have several workers that learn apart
		sick, well := t.Backend(0), t.Backend(1)
		sick.Server.SetBehaviour(bad)
		routeChecked(ctx, t, t.ID(), t.Host(), fmt.Sprintf(`{"type": "roundrobin", "nodes": {%q: 1, %q: 1}, "checks": {
 "active": {"type": "http", "http_path": "/health", "healthy": {"interval": 60}, "unhealthy": {"interval": 60}},
 "passive": {"type": "http", "healthy": {"http_statuses": [200], "successes": 5}, "unhealthy": {"http_statuses": [500], "http_failures": 2, "tcp_failures": 2, "timeouts": 2}}}}`, sick.Addr, well.Addr))
		t.Wait(ctx)
		s, last := one(t), 0
		for i := range requests {
			r := s.Do(ctx, traffic.Request{Host: t.Host()})
			if r.Backend() != well.Ref || r.Reply.Status != http.StatusOK {
				last = i
			}
		}
		n := sick.Server.Requests()
		t.Check(n > 0 && n <= bound, "the target that does so got %d of %d requests, want at least one and at most %d", n, requests, bound)
		t.Check(last < requests-20, "request %d of %d was not answered by the target that is well", last, requests)
	}
	return c
}
