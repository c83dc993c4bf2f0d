package routing

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that tries parameters before exact paths, or that takes a whole
// path with a parameter for its prefix.
var routerParameterOrder = spec.Case{
	ID: "ROUTER-PARAMETER-ORDER", Level: spec.Must, Needs: []spec.Feature{spec.RouterParameter},
	Title: "In the router radixtree_uri_with_parameter a path is as long as its text before the first parameter: exact paths and longer prefixes are tried first, then priorities, then the longer path.",
	Refs:  []string{"APISIX 3.18 router radixtree_uri_with_parameter, order", "lua-resty-radixtree 2.9.2"},
	After: []string{"ROUTER-PARAMETER-SEGMENT"},
	Objects: `
-- routes/{{.ID}}-a --
{"host": "{{.Host}}", "uri": "/user/:id", "priority": 9, "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-b --
{"host": "{{.Host}}", "uri": "/user/me", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 1}}": 1}}}
-- routes/{{.ID}}-c --
{"host": "{{.Host}}", "uri": "/user/meg*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 2}}": 1}}}
-- routes/{{.ID}}-d --
{"host": "{{.Host}}", "uri": "/item/*", "priority": 1, "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 3}}": 1}}}
-- routes/{{.ID}}-e --
{"host": "{{.Host}}", "uri": "/item/:a", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-f --
{"host": "{{.Host}}", "uri": "/same/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 3}}": 1}}}
-- routes/{{.ID}}-g --
{"host": "{{.Host}}", "uri": "/same/:a", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
`,
	Backends: 4,
	Run: func(ctx context.Context, t *spec.T) {
		h := t.Host()
		ask.Route(ctx, t,
			ask.Expect{Host: h, Target: "/user/me", Want: 1, Why: "an exact path, though its priority is lower"},
			ask.Expect{Host: h, Target: "/user/megan", Want: 2, Why: "a prefix that is longer than the text before the parameter"},
			ask.Expect{Host: h, Target: "/user/mia", Want: 0, Why: "the parameter"},
			ask.Expect{Host: h, Target: "/item/1", Want: 3, Why: "of one prefix the higher priority"},
			ask.Expect{Host: h, Target: "/same/1", Want: 0, Why: "then the longer path"},
			ask.Expect{Host: h, Target: "/same/1/2", Want: 3, Why: "which does not fit two segments"},
		)
	},
}
