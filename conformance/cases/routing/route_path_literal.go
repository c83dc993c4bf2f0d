package routing

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that makes regular expressions of paths without quoting
// them, or knows parameters in the default router.
var routePathLiteral = spec.Case{
	ID: "ROUTE-PATH-LITERAL", Level: spec.Must, Needs: []spec.Feature{spec.RouteURI},
	Title: "Every character of a path but a star stands for itself.",
	Refs:  []string{"APISIX 3.18 router radixtree_host_uri, no :name and no expressions", "RFC 3986 3.3"},
	After: []string{"ROUTE-EXACT", "ROUTE-PREFIX"},
	Objects: `
-- routes/{{.ID}}-a --
{"host": "{{.Host}}", "uris": ["/v1.0/x", "/a+b", "/(c|d)", "/[ef]", "/g$", "/user/:id", "/sem"], "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-b --
{"host": "{{.Host}}", "uri": "/p.q/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
`,
	Backends: 1,
	Run: func(ctx context.Context, t *spec.T) {
		h := t.Host()
		ask.Route(ctx, t,
			ask.Expect{Host: h, Target: "/v1.0/x", Want: 0, Why: "a dot"},
			ask.Expect{Host: h, Target: "/v1a0/x", Want: ask.None, Why: "a dot is not any character"},
			ask.Expect{Host: h, Target: "/a+b", Want: 0, Why: "a plus"},
			ask.Expect{Host: h, Target: "/aab", Want: ask.None, Why: "a plus does not repeat"},
			ask.Expect{Host: h, Target: "/a%20b", Want: ask.None, Why: "a plus is no blank"},
			ask.Expect{Host: h, Target: "/(c|d)", Want: 0, Why: "brackets"},
			ask.Expect{Host: h, Target: "/c", Want: ask.None, Why: "no choice"},
			ask.Expect{Host: h, Target: "/[ef]", Want: 0, Why: "square brackets"},
			ask.Expect{Host: h, Target: "/e", Want: ask.None, Why: "no class"},
			ask.Expect{Host: h, Target: "/g$", Want: 0, Why: "a dollar"},
			ask.Expect{Host: h, Target: "/g", Want: ask.None, Why: "no end"},
			ask.Expect{Host: h, Target: "/user/:id", Want: 0, Why: "a colon"},
			ask.Expect{Host: h, Target: "/user/7", Want: ask.None, Why: "no parameter in this router"},
			ask.Expect{Host: h, Target: "/sem", Want: 0, Why: "the path itself"},
			ask.Expect{Host: h, Target: "/sem;v=1", Want: ask.None, Why: "a semicolon separates nothing"},
			ask.Expect{Host: h, Target: "/p.q/r", Want: 0, Why: "a dot in a prefix"},
			ask.Expect{Host: h, Target: "/paq/r", Want: ask.None, Why: "a dot is not any character"},
		)
	},
}
