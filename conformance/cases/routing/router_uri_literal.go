package routing

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that has one router for the two that look for the path first.
var routerURILiteral = spec.Case{
	ID: "ROUTER-URI-LITERAL", Level: spec.Must, Needs: []spec.Feature{spec.RouterURI},
	Title: "In the router radixtree_uri a colon in a path is a colon.",
	Refs:  []string{"APISIX 3.18 router radixtree_uri, no :name"},
	Objects: `
-- routes/{{.ID}}-a --
{"host": "{{.Host}}", "uri": "/user/:id", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
`,
	Backends: 1,
	Run: func(ctx context.Context, t *spec.T) {
		h := t.Host()
		ask.Route(ctx, t,
			ask.Expect{Host: h, Target: "/user/:id", Want: 0, Why: "the text"},
			ask.Expect{Host: h, Target: "/user/7", Want: ask.None, Why: "no parameter"},
		)
	},
}
