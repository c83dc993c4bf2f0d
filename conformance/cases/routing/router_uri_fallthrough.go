package routing

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that finds a path first and then gives up when the host of its
// route is another.
var routerURIFallthrough = spec.Case{
	ID: "ROUTER-URI-FALLTHROUGH", Level: spec.Must, Needs: []spec.Feature{spec.RouterURI},
	Title: "In the router radixtree_uri a host that does not fit sends the search on: to the next route of the path, and to shorter prefixes.",
	Refs:  []string{"APISIX 3.18 router radixtree_uri, fall-through"},
	After: []string{"ROUTER-URI-HOST"},
	Objects: `
-- routes/{{.ID}}-a --
{"host": "a.{{.Host}}", "uri": "/{{.ID}}/1/2", "priority": 5, "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-b --
{"host": "b.{{.Host}}", "uri": "/{{.ID}}/1/2", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 1}}": 1}}}
-- routes/{{.ID}}-c --
{"hosts": ["c.{{.Host}}", "d.{{.Host}}"], "uri": "/{{.ID}}/1/*", "methods": ["GET"], "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 2}}": 1}}}
-- routes/{{.ID}}-d --
{"host": "*.{{.Host}}", "uri": "/{{.ID}}/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 3}}": 1}}}
`,
	Backends: 4,
	Run: func(ctx context.Context, t *spec.T) {
		h, p := t.Host(), "/"+t.ID()
		ask.Route(ctx, t,
			ask.Expect{Host: "a." + h, Target: p + "/1/2", Want: 0, Why: "the first of the path"},
			ask.Expect{Host: "b." + h, Target: p + "/1/2", Want: 1, Why: "the next of the path"},
			ask.Expect{Host: "d." + h, Target: p + "/1/2", Want: 2, Why: "the prefix; the second of its hosts"},
			ask.Expect{Method: "POST", Host: "d." + h, Target: p + "/1/2", Want: 3, Why: "the method does not fit: the shorter prefix"},
			ask.Expect{Host: "e." + h, Target: p + "/1/2", Want: 3, Why: "no host of them: the shorter prefix"},
			ask.Expect{Host: h, Target: p + "/1/2", Want: ask.None, Why: "nor of that"},
		)
	},
}
