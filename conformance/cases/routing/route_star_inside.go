package routing

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that takes a star inside a path for a character, for the
// end of the path, or for one segment only.
var routeStarInside = spec.Case{
	ID: "ROUTE-STAR-INSIDE", Level: spec.Must, Needs: []spec.Feature{spec.RouteStarInside},
	Title: "A star at the beginning of a segment stands for any text, slashes included, and what follows it must match to the end of the path.",
	Refs:  []string{"APISIX 3.18 router radixtree_host_uri, lua-resty-radixtree 2.9.2 paths with a star inside"},
	After: []string{"ROUTE-EXACT-OVER-PREFIX"},
	Objects: `
-- routes/{{.ID}}-a --
{"host": "{{.Host}}", "uri": "/x/*/end", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-b --
{"host": "{{.Host}}", "uri": "/x/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 1}}": 1}}}
-- routes/{{.ID}}-c --
{"host": "{{.Host}}", "uri": "/x/own/end", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 2}}": 1}}}
-- routes/{{.ID}}-d --
{"host": "{{.Host}}", "uri": "/y/*name/z", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 3}}": 1}}}
`,
	Backends: 4,
	Run: func(ctx context.Context, t *spec.T) {
		h := t.Host()
		ask.Route(ctx, t,
			ask.Expect{Host: h, Target: "/x/1/end", Want: 0, Why: "one segment"},
			ask.Expect{Host: h, Target: "/x/1/2/3/end", Want: 0, Why: "several"},
			ask.Expect{Host: h, Target: "/x/1/ending", Want: 1, Why: "to the end: the prefix serves the rest"},
			ask.Expect{Host: h, Target: "/x/1/end/2", Want: 1, Why: "to the end"},
			ask.Expect{Host: h, Target: "/x/end", Want: 1, Why: "the slash behind the star is missing"},
			ask.Expect{Host: h, Target: "/x/own/end", Want: 2, Why: "an exact path wins"},
			ask.Expect{Host: h, Target: "/y/7/z", Want: 3, Why: "text behind the star is its name"},
			ask.Expect{Host: h, Target: "/y/7/8", Want: ask.None, Why: "the end is missing"},
		)
	},
}
