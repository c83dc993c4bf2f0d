package routing

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that takes the Host field when the target names another
// host: whoever looks at the target (a cache, a filter) sees another site.
var routeAbsoluteWins = spec.Case{
	ID: "ROUTE-ABSOLUTE-WINS", Level: spec.Must, Needs: []spec.Feature{spec.RouteHost},
	Title: "When a target in absolute form and the Host field differ the target counts.",
	Refs:  []string{"RFC 9112 3.2.2, the received Host field is ignored", "APISIX 3.18 matches nginx $host: the host of the request line, else the Host field"},
	After: []string{"ROUTE-ABSOLUTE-FORM"},
	Objects: `
-- routes/{{.ID}}-a --
{"host": "one.{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-b --
{"host": "two.{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 1}}": 1}}}
`,
	Backends: 2,
	Run: func(ctx context.Context, t *spec.T) {
		h := t.Host()
		ask.Route(ctx, t,
			ask.Expect{Host: "two." + h, Target: "http://one." + h + "/", Want: 0, Why: "the target says one"},
			ask.Expect{Host: "one." + h, Target: "http://two." + h + "/x", Want: 1, Why: "the target says two"},
			ask.Expect{Host: "one." + h, Target: "http://three." + h + "/", Want: ask.None, Why: "nobody serves what the target says"},
		)
	},
}
