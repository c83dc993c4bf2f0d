package traffic

import (
	"context"
	"fmt"
	"time"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/traffic"
	"github.com/unilb/unilb/topology"
)

// checkedUpstream is an upstream of two targets with an active check of the path,
// every second, that takes a target out after so many failures and back after one
// success; more members of the check may follow.
func checkedUpstream(a, b spec.Backend, path string, failures int, members string) string {
	return fmt.Sprintf(`{"type": "roundrobin", "nodes": {%q: 1, %q: 1}, "checks": {"active": {"type": "http", "http_path": %q, "timeout": 1,
 "healthy": {"interval": 1, "successes": 1}, "unhealthy": {"interval": 1, "http_failures": %d, "tcp_failures": %d, "timeouts": %d}%s}}}`,
		a.Addr, b.Addr, path, failures, failures, failures, members)
}

// routeChecked sends everything of a host to an upstream object.
func routeChecked(ctx context.Context, t *spec.T, id, host, upstream string) {
	t.Put(ctx, "upstreams/"+id, upstream)
	t.Put(ctx, "routes/"+id, fmt.Sprintf(`{"host": %q, "uri": "/*", "upstream_id": %q}`, host, id))
}

// untilAlone asks until one target answers twenty requests in a row.
func untilAlone(ctx context.Context, t *spec.T, s *traffic.Session, host string, alone topology.Ref) {
	ask.Until(ctx, t, fmt.Sprintf("%s serves alone", alone), 20, func() bool { return served(ctx, t, s, host) == alone })
}

// served is who answered a request, with 200 and no later than the case ends.
func served(ctx context.Context, t *spec.T, s *traffic.Session, host string) topology.Ref {
	r := s.Do(ctx, traffic.Request{Host: host})
	if r.Reply == nil && ctx.Err() != nil {
		return "" // the time is over: whoever waits says for what
	}
	if r.Backend() == "" || r.Reply.Status != 200 {
		t.Fatalf("got %s, want 200 of a backend (op %s)", ask.Said(r), r.Op.ID)
	}
	return r.Backend()
}

// healthTime is how long a case may take that waits for so many changes of health.
func healthTime(changes int) time.Duration { return time.Duration(changes+1) * ask.HealthBound }
