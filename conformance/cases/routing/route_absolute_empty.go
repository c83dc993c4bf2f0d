package routing

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that finds nothing, or fails, when there is no path behind
// the authority.
var routeAbsoluteEmpty = spec.Case{
	ID: "ROUTE-ABSOLUTE-EMPTY", Level: spec.Should, Needs: []spec.Feature{spec.RouteURI, spec.RouteHost},
	Title: "A target in absolute form without a path means the root.",
	Refs:  []string{"RFC 9110 4.2.3, an empty path is the same as /", "RFC 3986 6.2.3"},
	After: []string{"ROUTE-ABSOLUTE-FORM"},
	Objects: `
-- routes/{{.ID}}-a --
{"host": "{{.Host}}", "uri": "/", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
`,
	Backends: 1,
	Run: func(ctx context.Context, t *spec.T) {
		h := t.Host()
		ask.Route(ctx, t,
			ask.Expect{Host: h, Target: "http://" + h, Want: 0, Why: "no path"},
			ask.Expect{Host: h, Target: "http://" + h + "?q=1", Want: 0, Why: "no path, but a query"},
			ask.Expect{Host: h, Target: "http://" + h + "/", Want: 0, Why: "the root"},
		)
	},
}
