package check

import (
	"fmt"

	"github.com/unilb/unilb/sim/history"
)

// AtMostOnce says that no request with a method that is not idempotent (RFC
// 9110 9.2.2) arrived more than once, at whatever backends. A load without such
// requests gives Unknown.
func AtMostOnce() Checker { return atMostOnce{} }

type atMostOnce struct{}

func (atMostOnce) Name() string { return "AtMostOnce" }

func (c atMostOnce) Check(h *history.History, _ Facts) Verdict {
	f := finding{Verdict: Verdict{Check: c.Name()}}
	arrived := h.ByID()
	seen := 0
	for _, o := range h.Ops {
		if o.Request.Idempotent() {
			continue
		}
		f.Examined++
		as := arrived[o.ID]
		if len(as) > 0 {
			seen++
		}
		if len(as) > 1 {
			f.violation(o.ID, as[1].At, "%s arrived %d times: %s", o.Request.Method, len(as), story(o, as))
		}
	}
	f.Summary = fmt.Sprintf("%d of %d requests that must not be repeated arrived more than once", f.bad, f.Examined)
	if seen < MinOps {
		f.doubt("only %d requests with a method that is not idempotent arrived, want at least %d", seen, MinOps)
	}
	return f.verdict(h, fmt.Sprintf("%d requests, none repeated", f.Examined))
}
