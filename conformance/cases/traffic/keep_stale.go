package traffic

import (
	"context"

	"github.com/unilb/unilb/conformance/spec"
)

// playStale plays a backend that answers one request on a connection and ends it
// when the second comes, as one does whose idle time is over that very moment.
func playStale(ctx context.Context, t *spec.T) spec.Backend {
	return play(ctx, t, func(a *actor) {
		q, ok := a.take()
		if !ok || !a.say(q.head("200 OK", "Content-Length: 4")+"done") {
			return
		}
		_, _ = a.take() // and no answer
	})
}

// staleMet says how many requests came as the second of a connection.
func staleMet(t *spec.T) (n int) {
	seen := map[string]bool{}
	for _, a := range arrivals(t) {
		if seen[a.From] {
			n++
		}
		seen[a.From] = true
	}
	return n
}
