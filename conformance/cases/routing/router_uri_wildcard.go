package routing

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway whose hosts as conditions are other hosts than those that
// order routes: without stars, for one label only, or with an order among them.
var routerURIWildcard = spec.Case{
	ID: "ROUTER-URI-WILDCARD", Level: spec.Must, Needs: []spec.Feature{spec.RouterURI},
	Title: "In the router radixtree_uri a host that begins with a star is whatever ends so, and a longer one is worth no more.",
	Refs:  []string{"APISIX 3.18 router radixtree_uri, hosts with a star"},
	After: []string{"ROUTER-URI-HOST"},
	Objects: `
-- routes/{{.ID}}-a --
{"host": "*.{{.Host}}", "uri": "/{{.ID}}/depth", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-b --
{"host": "*.a.{{.Host}}", "uri": "/{{.ID}}/depth", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 1}}": 1}}}
-- routes/{{.ID}}-c --
{"host": "*{{.Host}}", "uri": "/{{.ID}}/text", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 1}}": 1}}}
-- routes/{{.ID}}-d --
{"host": "*", "uri": "/{{.ID}}/star", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 2}}": 1}}}
-- routes/{{.ID}}-e --
{"host": "UP.{{.Host}}", "uri": "/{{.ID}}/case", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 2}}": 1}}}
`,
	Backends: 3,
	Run: func(ctx context.Context, t *spec.T) {
		h, p := t.Host(), "/"+t.ID()
		ask.Route(ctx, t,
			ask.Expect{Host: "x." + h, Target: p + "/depth", Want: 0, Why: "one label"},
			ask.Expect{Host: "x.y." + h, Target: p + "/depth", Want: 0, Why: "two"},
			ask.Expect{Host: "x.a." + h, Target: p + "/depth", Want: 0, Why: "the older, not the longer"},
			ask.Expect{Host: "bar" + h, Target: p + "/text", Want: 1, Why: "the star stands for a part of a label"},
			ask.Expect{Host: h, Target: p + "/text", Want: 1, Why: "and for nothing"},
			ask.Expect{Host: "other.example", Target: p + "/text", Want: ask.None, Why: "another end"},
			ask.Expect{Host: "other.example", Target: p + "/star", Want: 2, Why: "the star alone"},
			ask.Expect{Host: "uP." + h, Target: p + "/case", Want: 2, Why: "hosts have no case"},
		)
	},
}
