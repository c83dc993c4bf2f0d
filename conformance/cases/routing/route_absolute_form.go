package routing

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that matches the whole target, or has no host when a
// client writes the URI out.
var routeAbsoluteForm = spec.Case{
	ID: "ROUTE-ABSOLUTE-FORM", Level: spec.Must, Needs: []spec.Feature{spec.RouteURI, spec.RouteHost},
	Title: "A target in absolute form is matched by its own host and path.",
	Refs:  []string{"RFC 9112 3.2.2, a server accepts the absolute form in requests"},
	After: []string{"ROUTE-HOST", "ROUTE-EXACT"},
	Objects: `
-- routes/{{.ID}}-a --
{"host": "one.{{.Host}}", "uri": "/abs", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-b --
{"host": "two.{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 1}}": 1}}}
`,
	Backends: 2,
	Run: func(ctx context.Context, t *spec.T) {
		h := t.Host()
		ask.Route(ctx, t,
			ask.Expect{Host: "one." + h, Target: "http://one." + h + "/abs", Want: 0, Why: "host and path of the target"},
			ask.Expect{Host: "one." + h, Target: "http://one." + h + "/abs?to=http://two." + h + "/", Want: 0, Why: "with a query"},
			ask.Expect{Host: "two." + h, Target: "http://two." + h + "/abs", Want: 1, Why: "the other host"},
			ask.Expect{Host: "one." + h, Target: "http://one." + h + "/other", Want: ask.None, Why: "no such path"},
		)
	},
}
