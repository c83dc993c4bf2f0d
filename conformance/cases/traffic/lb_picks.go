package traffic

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/traffic"
	"github.com/unilb/unilb/topology"
)

// picks sends n requests one after another, and says who answered each. Not being
// answered by a backend ends the case.
func picks(ctx context.Context, t *spec.T, s *traffic.Session, n int, req traffic.Request) []topology.Ref {
	var out []topology.Ref
	for range n {
		r := s.Do(ctx, req)
		if r.Backend() == "" {
			t.Fatalf("got %s, want an answer of a backend (op %s)", ask.Said(r), r.Op.ID)
		}
		out = append(out, r.Backend())
	}
	return out
}

// count says how often each was picked.
func count(ps []topology.Ref) map[topology.Ref]int {
	m := map[topology.Ref]int{}
	for _, p := range ps {
		m[p]++
	}
	return m
}
