package routing

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway in which an exact host is worth more than a priority, or than
// an older route.
var routerURIPriority = spec.Case{
	ID: "ROUTER-URI-PRIORITY", Level: spec.Must, Needs: []spec.Feature{spec.RouterURI},
	Title: "In the router radixtree_uri the priority decides between routes of one path whatever their hosts are, and between equals the older.",
	Refs:  []string{"APISIX 3.18 router radixtree_uri, order inside one path"},
	After: []string{"ROUTER-URI-HOST"},
	Objects: `
-- routes/{{.ID}}-a --
{"host": "*.{{.Host}}", "uri": "/{{.ID}}/older", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-b --
{"host": "a.{{.Host}}", "uris": ["/{{.ID}}/older", "/{{.ID}}/high", "/{{.ID}}/none"], "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 1}}": 1}}}
-- routes/{{.ID}}-c --
{"host": "*.{{.Host}}", "uri": "/{{.ID}}/high", "priority": 1, "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 2}}": 1}}}
-- routes/{{.ID}}-d --
{"uri": "/{{.ID}}/none", "priority": 2, "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 3}}": 1}}}
-- routes/{{.ID}}-e --
{"host": "a.{{.Host}}", "uri": "/{{.ID}}/none/x", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 1}}": 1}}}
-- routes/{{.ID}}-f --
{"uri": "/{{.ID}}/none/*", "priority": 9, "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 3}}": 1}}}
`,
	Backends: 4,
	Run: func(ctx context.Context, t *spec.T) {
		h, p := t.Host(), "/"+t.ID()
		ask.Route(ctx, t,
			ask.Expect{Host: "a." + h, Target: p + "/older", Want: 0, Why: "the older of two, though its host is a wildcard"},
			ask.Expect{Host: "a." + h, Target: p + "/high", Want: 2, Why: "the higher priority, though its host is a wildcard"},
			ask.Expect{Host: "a." + h, Target: p + "/none", Want: 3, Why: "the higher priority, though it has no host"},
			ask.Expect{Host: "a." + h, Target: p + "/none/x", Want: 1, Why: "an exact path, though its priority is lower"},
		)
	},
}
