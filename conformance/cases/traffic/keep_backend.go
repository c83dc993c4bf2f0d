package traffic

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/traffic"
)

// keepCase is a case about connections to a backend: sixty requests over client
// connections of that policy need at most twenty. A gateway may have several
// workers with connections of their own.
func keepCase(c spec.Case, conns traffic.ConnPolicy) spec.Case {
	c.Needs, c.Objects, c.Backends = []spec.Feature{spec.ProxyKeepalive}, oneTarget, 1
	c.Run = func(ctx context.Context, t *spec.T) {
		const requests, bound = 60, 20
		for _, gw := range t.Env().Gateways() {
			s := ask.Session(t, gw.Data, traffic.Options{Conns: conns})
			from := map[string]bool{}
			for i := range requests {
				r := s.Do(ctx, traffic.Request{Method: []string{"GET", "POST"}[i%2], Host: t.Host()})
				from[ask.Seen(t, r).From] = true
			}
			t.Check(len(from) <= bound, "%s: the backend saw %d connections for %d requests, want at most %d", gw.Ref, len(from), requests, bound)
			t.Logf("%s: %d connections for %d requests", gw.Ref, len(from), requests)
		}
	}
	return c
}
