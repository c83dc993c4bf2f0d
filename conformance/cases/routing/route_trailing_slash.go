package routing

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that drops or adds a slash at the end, or redirects to
// where one is.
var routeTrailingSlash = spec.Case{
	ID: "ROUTE-TRAILING-SLASH", Level: spec.Must, Needs: []spec.Feature{spec.RouteURI},
	Title: "A path with a slash at its end and the path without are two paths.",
	Refs:  []string{"APISIX 3.18 router radixtree_host_uri, full path match", "RFC 3986 6.2.3"},
	After: []string{"ROUTE-EXACT"},
	Objects: `
-- routes/{{.ID}}-a --
{"host": "{{.Host}}", "uri": "/dir", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-b --
{"host": "{{.Host}}", "uri": "/dir/", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 1}}": 1}}}
-- routes/{{.ID}}-c --
{"host": "{{.Host}}", "uri": "/only/", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 2}}": 1}}}
-- routes/{{.ID}}-d --
{"host": "{{.Host}}", "uri": "/bare", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 3}}": 1}}}
`,
	Backends: 4,
	Run: func(ctx context.Context, t *spec.T) {
		h := t.Host()
		ask.Route(ctx, t,
			ask.Expect{Host: h, Target: "/dir", Want: 0, Why: "without"},
			ask.Expect{Host: h, Target: "/dir/", Want: 1, Why: "with"},
			ask.Expect{Host: h, Target: "/only", Want: ask.None, Why: "one less"},
			ask.Expect{Host: h, Target: "/only/", Want: 2, Why: "as written"},
			ask.Expect{Host: h, Target: "/bare/", Want: ask.None, Why: "one more"},
			ask.Expect{Host: h, Target: "/bare", Want: 3, Why: "as written"},
		)
	},
}
