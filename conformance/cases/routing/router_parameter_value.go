package routing

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that matches parameters and does not say what they were, or
// says it of another part of the path.
var routerParameterValue = spec.Case{
	ID: "ROUTER-PARAMETER-VALUE", Level: spec.Must, Needs: []spec.Feature{spec.RouterParameter},
	Title: "In the router radixtree_uri_with_parameter conditions may ask for the value of a parameter, as uri_param_NAME.",
	Refs:  []string{"APISIX 3.18 variable uri_param_name"},
	After: []string{"ROUTER-PARAMETER-SEGMENT"},
	Objects: `
-- routes/{{.ID}}-a --
{"host": "{{.Host}}", "uri": "/user/:id/:what", "priority": 2, "vars": [["uri_param_id", "==", "7"]], "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-b --
{"host": "{{.Host}}", "uri": "/user/:id/:what", "priority": 1, "vars": [["uri_param_what", "~~", "^[0-9]+$"]], "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 1}}": 1}}}
-- routes/{{.ID}}-c --
{"host": "{{.Host}}", "uri": "/user/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 2}}": 1}}}
`,
	Backends: 3,
	Run: func(ctx context.Context, t *spec.T) {
		h := t.Host()
		ask.Route(ctx, t,
			ask.Expect{Host: h, Target: "/user/7/x", Want: 0, Why: "the first is 7"},
			ask.Expect{Host: h, Target: "/user/8/99", Want: 1, Why: "the second is a number"},
			ask.Expect{Host: h, Target: "/user/8/x", Want: 2, Why: "neither: the search goes on"},
			ask.Expect{Host: h, Target: "/user/x/7", Want: 1, Why: "7 is the second, not the first"},
		)
	},
}
