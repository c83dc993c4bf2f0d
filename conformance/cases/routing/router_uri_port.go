package routing

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that cuts the port off before it looks at a route that names
// one, or that keeps it for all the others.
var routerURIPort = spec.Case{
	ID: "ROUTER-URI-PORT", Level: spec.Must, Needs: []spec.Feature{spec.RouterURI},
	Title: "In the router radixtree_uri a host with a port is compared to Host with its port, and one without to Host without.",
	Refs:  []string{"APISIX 3.18 router radixtree_uri, hosts with a colon are compared to the raw Host"},
	After: []string{"ROUTER-URI-HOST"},
	Objects: `
-- routes/{{.ID}}-a --
{"host": "{{.Host}}:8080", "uri": "/{{.ID}}", "priority": 1, "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-b --
{"host": "{{.Host}}", "uri": "/{{.ID}}", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 1}}": 1}}}
`,
	Backends: 2,
	Run: func(ctx context.Context, t *spec.T) {
		h, p := t.Host(), "/"+t.ID()
		ask.Route(ctx, t,
			ask.Expect{Host: h + ":8080", Target: p, Want: 0, Why: "the port"},
			ask.Expect{Host: h, Target: p, Want: 1, Why: "no port"},
			ask.Expect{Host: h + ":8081", Target: p, Want: 1, Why: "another port"},
		)
	},
}
