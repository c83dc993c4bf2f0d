package traffic

import (
	"context"
	"strconv"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/echo"
	"github.com/unilb/unilb/sim/traffic"
)

// Catches a gateway that knows a list of statuses and makes others of the rest, or
// that puts pages of its own in the place of a backend's errors.
var headersStatus = spec.Case{
	ID: "HDR-STATUS", Level: spec.Must, Needs: []spec.Feature{spec.ProxyHeaders},
	Title:    "A backend's status and body reach the client unchanged, for errors and for statuses that nobody has registered as for any other.",
	Refs:     []string{"RFC 9110 15", "APISIX 3.18: 5xx answers are not retried"},
	Objects:  oneTarget,
	Backends: 1,
	Run: func(ctx context.Context, t *spec.T) {
		s := one(t)
		for _, status := range []int{200, 201, 202, 203, 206, 299, 300, 301, 302, 307, 308, 399, 400, 401, 403, 404, 405, 409, 410, 418, 422, 429, 451, 498, 500, 501, 502, 503, 504, 507, 599} {
			r := s.Do(ctx, traffic.Request{Host: t.Host()}.With(echo.HeaderStatus, strconv.Itoa(status)).With(echo.HeaderSize, "100"))
			same := r.Reply != nil && r.Reply.FromBackend() && r.Reply.Status == status && string(r.Reply.Body) == string(echo.Pattern(100))
			t.Check(same, "status %d: got %s, want the backend's own (op %s)", status, ask.Said(r), r.Op.ID)
		}
	},
}
