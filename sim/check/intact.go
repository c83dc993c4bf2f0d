package check

import (
	"fmt"
	"strings"

	"github.com/unilb/unilb/sim/history"
)

// altered says what became of an answered request, or of its answer, on the
// way; empty when an arrival at the backend that answered explains all of it.
// A backend may have seen the request more than once: the best arrival counts.
func altered(o history.Op, as []history.Arrival) string {
	if len(as) == 0 {
		return fmt.Sprintf("was answered by %s but arrived nowhere", backendOf(o))
	}
	wrong := fmt.Sprintf("was answered by %s but arrived at %s", backendOf(o), as[0].Backend)
	for _, a := range as {
		if a.Backend != backendOf(o) {
			continue
		}
		if wrong = difference(o, a); wrong == "" {
			return ""
		}
	}
	return wrong
}

func difference(o history.Op, a history.Arrival) string {
	sent, seen := o.Request, a.Seen
	switch {
	case a.Cut:
		return fmt.Sprintf("was answered by %s, which did not get all of it (%d of %d bytes)", a.Backend, seen.BodyLen, sent.BodyLen)
	case seen.Method != sent.Method || seen.Target != sent.Target:
		return fmt.Sprintf("arrived at %s as %s %s", a.Backend, seen.Method, seen.Target)
	case sent.Host != "" && !strings.EqualFold(seen.Host, sent.Host):
		return fmt.Sprintf("arrived at %s for host %q, and was sent for %q", a.Backend, seen.Host, sent.Host)
	case !a.Unread && (seen.BodyLen != sent.BodyLen || seen.BodySum != sent.BodySum):
		return fmt.Sprintf("arrived at %s with another body: %s sent, %s seen", a.Backend, body(sent.BodyLen, sent.BodySum), body(seen.BodyLen, seen.BodySum))
	}
	if a.Answer == nil || o.Response == nil {
		return "" // not known what the backend wrote
	}
	wrote, got := a.Answer, o.Response
	switch {
	case got.Status != wrote.Status:
		return fmt.Sprintf("was answered with %d, and %s wrote %d", got.Status, a.Backend, wrote.Status)
	case got.BodyLen != wrote.BodyLen || got.BodySum != wrote.BodySum:
		return fmt.Sprintf("got another answer than %s wrote: %s written, %s read", a.Backend, body(wrote.BodyLen, wrote.BodySum), body(got.BodyLen, got.BodySum))
	}
	return ""
}

func body(n int64, sum string) string {
	if n == 0 {
		return "no body"
	}
	return fmt.Sprintf("%d bytes (%.8s)", n, sum)
}
