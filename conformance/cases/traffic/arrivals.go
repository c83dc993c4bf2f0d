package traffic

import (
	"strings"

	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/history"
)

// arrivals are the requests of this case that backends saw so far.
func arrivals(t *spec.T) []history.Arrival {
	var out []history.Arrival
	for _, a := range t.Env().Recorder().Snapshot().Arrivals {
		if strings.HasPrefix(a.ID, t.ID()) {
			out = append(out, a)
		}
	}
	return out
}

// arrivalsOf are those of one operation.
func arrivalsOf(t *spec.T, op string) []history.Arrival {
	var out []history.Arrival
	for _, a := range arrivals(t) {
		if a.ID == op {
			out = append(out, a)
		}
	}
	return out
}
