package ask

import (
	"context"
	"fmt"

	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/history"
	"github.com/unilb/unilb/sim/traffic"
)

// Ended waits until so many requests of loads have ended, well or not: a check
// that needs some of a kind has them on a slow machine too, where a load does less
// than its rate promises. Not within HealthBound is a failure and ends the case.
func Ended(ctx context.Context, t *spec.T, requests int, loads ...*traffic.Stream) {
	Until(ctx, t, fmt.Sprintf("%d requests of the load have ended", requests), 1, func() bool {
		total := 0
		for _, s := range loads {
			total += s.Total()
		}
		return total >= requests
	})
}

// Stop ends loads and returns what they and the backends saw.
func Stop(ctx context.Context, t *spec.T, loads ...*traffic.Stream) *history.History {
	var parts []*history.History
	for _, s := range loads {
		h, err := s.Stop(ctx)
		t.Check(err == nil, "%v", err)
		parts = append(parts, h)
	}
	return history.Merge(parts...)
}
