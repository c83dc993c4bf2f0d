package routing

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that looks for the host first as soon as paths have parameters.
var routerParameterHost = spec.Case{
	ID: "ROUTER-PARAMETER-HOST", Level: spec.Must, Needs: []spec.Feature{spec.RouterParameter},
	Title: "In the router radixtree_uri_with_parameter hosts are conditions as in radixtree_uri: path and priority decide before them.",
	Refs:  []string{"APISIX 3.18 router radixtree_uri_with_parameter, hosts as conditions"},
	After: []string{"ROUTER-PARAMETER-SEGMENT"},
	Objects: `
-- routes/{{.ID}}-a --
{"host": "a.{{.Host}}", "uri": "/{{.ID}}/:id", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-b --
{"host": "*.{{.Host}}", "uri": "/{{.ID}}/:id", "priority": 1, "vars": [["uri_param_id", "~=", "7"]], "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 1}}": 1}}}
-- routes/{{.ID}}-c --
{"uri": "/{{.ID}}/exact", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 2}}": 1}}}
`,
	Backends: 3,
	Run: func(ctx context.Context, t *spec.T) {
		h, p := t.Host(), "/"+t.ID()
		ask.Route(ctx, t,
			ask.Expect{Host: "a." + h, Target: p + "/8", Want: 1, Why: "the higher priority, though its host is a wildcard"},
			ask.Expect{Host: "a." + h, Target: p + "/7", Want: 0, Why: "its condition fails: the next"},
			ask.Expect{Host: "a." + h, Target: p + "/exact", Want: 2, Why: "the exact path, though it has no host"},
			ask.Expect{Host: "b." + h, Target: p + "/7", Want: ask.None, Why: "the host does not fit the other"},
		)
	},
}
