package traffic

import (
	"context"
	"net/http"
	"strconv"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/echo"
	"github.com/unilb/unilb/sim/traffic"
)

// Catches a gateway that takes a backend's 5xx for a failure of its own to reach it:
// the work is done twice, and the error that somebody needs to see is hidden.
var retryStatus = spec.Case{
	ID: "RETRY-STATUS", Level: spec.Must, Needs: []spec.Feature{spec.UpstreamRetries},
	Title: "An answer is an answer: a 500, 502, 503 or 504 of a target is passed on and no other target is tried.",
	Refs:  []string{"APISIX 3.18 upstream.retries: error and timeout only"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "retries": 2, "nodes": {"{{index .Backends 0}}": 1, "{{index .Backends 1}}": 1}}}
`,
	Backends: 2,
	Run: func(ctx context.Context, t *spec.T) {
		s := one(t)
		for _, status := range []int{500, 502, 503, 504} {
			for _, method := range []string{http.MethodGet, http.MethodPost} {
				r := s.Do(ctx, traffic.Request{Method: method, Host: t.Host()}.With(echo.HeaderStatus, strconv.Itoa(status)))
				t.Check(r.Backend() != "" && r.Reply.Status == status, "%s with %d: got %s, want the target's (op %s)", method, status, ask.Said(r), r.Op.ID)
				n := len(arrivalsOf(t, r.Op.ID))
				t.Check(n == 1, "%s with %d: it arrived %d times, want once (op %s)", method, status, n, r.Op.ID)
			}
		}
	},
}
