package routing

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that looks for the host first whatever router it was told to
// use, or that forgets hosts where they do not order routes.
var routerURIHost = spec.Case{
	ID: "ROUTER-URI-HOST", Level: spec.Must, Needs: []spec.Feature{spec.RouterURI},
	Title: "In the router radixtree_uri the path decides before the host, which is a condition of the route.",
	Refs:  []string{"APISIX 3.18 router radixtree_uri, hosts as conditions"},
	Objects: `
-- routes/{{.ID}}-a --
{"host": "a.{{.Host}}", "uri": "/{{.ID}}/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-b --
{"host": "*.{{.Host}}", "uri": "/{{.ID}}/long/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 1}}": 1}}}
-- routes/{{.ID}}-c --
{"uri": "/{{.ID}}/long/exact", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 2}}": 1}}}
`,
	Backends: 3,
	Run: func(ctx context.Context, t *spec.T) {
		h, p := t.Host(), "/"+t.ID()
		ask.Route(ctx, t,
			ask.Expect{Host: "a." + h, Target: p + "/x", Want: 0, Why: "its own host, and no longer path"},
			ask.Expect{Host: "a." + h, Target: p + "/long/x", Want: 1, Why: "the longer prefix, though its host is a wildcard"},
			ask.Expect{Host: "a." + h, Target: p + "/long/exact", Want: 2, Why: "the exact path, though it has no host"},
			ask.Expect{Host: "b." + h, Target: p + "/long/x", Want: 1, Why: "the wildcard"},
			ask.Expect{Host: "b." + h, Target: p + "/x", Want: ask.None, Why: "no route for this host has the path"},
			ask.Expect{Host: h, Target: p + "/long/x", Want: ask.None, Why: "the wildcard does not cover its own domain"},
		)
	},
}
