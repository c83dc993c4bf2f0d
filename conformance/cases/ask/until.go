package ask

import (
	"context"
	"time"

	"github.com/unilb/unilb/conformance/spec"
)

// HealthBound is how long a gateway may take to notice a change of health: ten
// times what interval and threshold of the objects promise would be generous; it
// is rather less.
const HealthBound = 15 * time.Second

// Until asks at a steady pace until so many answers in a row are as wished. Not
// within HealthBound is a failure and ends the case.
func Until(ctx context.Context, t *spec.T, what string, inARow int, ok func() bool) {
	Within(ctx, t, HealthBound, what, inARow, ok)
}

// Within is Until with another bound.
func Within(ctx context.Context, t *spec.T, bound time.Duration, what string, inARow int, ok func() bool) {
	ctx, cancel := context.WithTimeout(ctx, bound)
	defer cancel()
	pace := time.NewTicker(20 * time.Millisecond)
	defer pace.Stop()
	for n := 0; n < inARow; {
		if ok() {
			n++
		} else {
			n = 0
		}
		select {
		case <-pace.C:
		case <-ctx.Done():
			t.Fatalf("%s: not within %s", what, bound)
		}
	}
}
