package routing

import (
	"context"
	"net/http"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that compares methods without case: a filter that knows
// DELETE lets delete pass.
var routeMethodCase = spec.Case{
	ID: "ROUTE-METHOD-CASE", Level: spec.Must, Needs: []spec.Feature{spec.RouteMethods},
	Title: "A method in small letters is another method, which no route with methods takes.",
	Refs:  []string{"RFC 9110 9.1, methods are case-sensitive", "APISIX 3.18 route.methods"},
	After: []string{"ROUTE-METHOD"},
	Objects: `
-- routes/{{.ID}}-a --
{"host": "{{.Host}}", "uri": "/m", "methods": ["GET", "DELETE"], "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
`,
	Backends: 1,
	Run: func(ctx context.Context, t *spec.T) {
		h := t.Host()
		// nginx takes a method in small letters for no method at all.
		statuses := []int{http.StatusBadRequest, http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusNotImplemented}
		refused(ctx, t, statuses,
			ask.Expect{Method: "delete", Host: h, Target: "/m", Why: "small letters"},
			ask.Expect{Method: "Get", Host: h, Target: "/m", Why: "one capital"},
		)
		ask.Route(ctx, t, ask.Expect{Method: "DELETE", Host: h, Target: "/m", Want: 0, Why: "as listed"})
	},
}
