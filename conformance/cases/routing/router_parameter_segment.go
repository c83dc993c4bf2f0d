package routing

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that knows no parameters, or for which one is any text, slashes
// included, or none.
var routerParameterSegment = spec.Case{
	ID: "ROUTER-PARAMETER-SEGMENT", Level: spec.Must, Needs: []spec.Feature{spec.RouterParameter},
	Title: "In the router radixtree_uri_with_parameter a segment that begins with a colon is any one segment that is not empty.",
	Refs:  []string{"APISIX 3.18 router radixtree_uri_with_parameter, :name", "lua-resty-radixtree 2.9.2"},
	Objects: `
-- routes/{{.ID}}-a --
{"host": "{{.Host}}", "uri": "/user/:id", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-b --
{"host": "{{.Host}}", "uri": "/user/:id/orders/:order", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 1}}": 1}}}
-- routes/{{.ID}}-c --
{"host": "{{.Host}}", "uri": "/files/:kind/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 2}}": 1}}}
-- routes/{{.ID}}-d --
{"host": "{{.Host}}", "uri": "/a:b", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 2}}": 1}}}
`,
	Backends: 3,
	Run: func(ctx context.Context, t *spec.T) {
		h := t.Host()
		ask.Route(ctx, t,
			ask.Expect{Host: h, Target: "/user/7", Want: 0, Why: "one segment"},
			ask.Expect{Host: h, Target: "/user/a.b-c%20d", Want: 0, Why: "of any characters"},
			ask.Expect{Host: h, Target: "/user/", Want: ask.None, Why: "not an empty one"},
			ask.Expect{Host: h, Target: "/user/7/8", Want: ask.None, Why: "not two"},
			ask.Expect{Host: h, Target: "/user/7/orders/9", Want: 1, Why: "two parameters"},
			ask.Expect{Host: h, Target: "/user/7/orders/", Want: ask.None, Why: "the second must be there"},
			ask.Expect{Host: h, Target: "/files/png/a/b", Want: 2, Why: "a parameter and a star"},
			ask.Expect{Host: h, Target: "/files/png", Want: ask.None, Why: "the slash of the star is missing"},
			ask.Expect{Host: h, Target: "/a:b", Want: 2, Why: "a colon inside a segment is a colon"},
			ask.Expect{Host: h, Target: "/axy", Want: ask.None, Why: "and nothing else"},
		)
	},
}
