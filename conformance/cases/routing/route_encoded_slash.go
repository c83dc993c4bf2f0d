package routing

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that keeps an encoded slash apart from a slash although
// the default of APISIX does not.
var routeEncodedSlash = spec.Case{
	ID: "ROUTE-ENCODED-SLASH", Level: spec.Must, Needs: []spec.Feature{spec.RouteNormalPath},
	Title: "An encoded slash separates segments like a slash, and an encoded question mark begins no query.",
	Refs:  []string{"APISIX 3.18 matches nginx $uri, match_uri_encoded_slash is off"},
	After: []string{"ROUTE-PATH-DECODED"},
	Objects: `
-- routes/{{.ID}}-a --
{"host": "{{.Host}}", "uri": "/a/b", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-b --
{"host": "{{.Host}}", "uri": "/pre/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 1}}": 1}}}
-- routes/{{.ID}}-c --
{"host": "{{.Host}}", "uri": "/q?x", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 2}}": 1}}}
`,
	Backends: 3,
	Run: func(ctx context.Context, t *spec.T) {
		h := t.Host()
		ask.Route(ctx, t,
			ask.Expect{Host: h, Target: "/a%2Fb", Want: 0, Why: "in capitals"},
			ask.Expect{Host: h, Target: "/a%2fb", Want: 0, Why: "in small letters"},
			ask.Expect{Host: h, Target: "/pre%2Fx", Want: 1, Why: "at the end of a prefix"},
			ask.Expect{Host: h, Target: "/q%3Fx", Want: 2, Why: "a question mark in the path"},
			ask.Expect{Host: h, Target: "/q?x", Want: ask.None, Why: "a query"},
		)
	},
}
