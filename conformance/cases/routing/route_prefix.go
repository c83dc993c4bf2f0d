package routing

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that matches prefixes by whole segments, or that lets
// "/bar/*" match "/bar".
var routePrefix = spec.Case{
	ID: "ROUTE-PREFIX", Level: spec.Must, Needs: []spec.Feature{spec.RouteURI},
	Title: "A path that ends with a star matches every path that begins with what is before the star.",
	Refs:  []string{"APISIX 3.18 router radixtree_host_uri, deep prefix match"},
	Objects: `
-- routes/{{.ID}}-a --
{"host": "{{.Host}}", "uri": "/foo*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-b --
{"host": "{{.Host}}", "uri": "/bar/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 1}}": 1}}}
`,
	Backends: 2,
	Run: func(ctx context.Context, t *spec.T) {
		h := t.Host()
		ask.Route(ctx, t,
			ask.Expect{Host: h, Target: "/foo", Want: 0, Why: "the star may be empty"},
			ask.Expect{Host: h, Target: "/foobar", Want: 0, Why: "a prefix ends anywhere"},
			ask.Expect{Host: h, Target: "/foo/bar/baz?q", Want: 0, Why: "any depth"},
			ask.Expect{Host: h, Target: "/fo", Want: ask.None, Why: "shorter than the prefix"},
			ask.Expect{Host: h, Target: "/x/foo", Want: ask.None, Why: "not at the beginning"},
			ask.Expect{Host: h, Target: "/bar/", Want: 1, Why: "the star may be empty"},
			ask.Expect{Host: h, Target: "/bar/x", Want: 1, Why: "below the prefix"},
			ask.Expect{Host: h, Target: "/bar", Want: ask.None, Why: "the slash belongs to the prefix"},
		)
	},
}
