package routing

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that compares paths as they were sent, so that /%61dmin is
// not /admin.
var routePathDecoded = spec.Case{
	ID: "ROUTE-PATH-DECODED", Level: spec.Must, Needs: []spec.Feature{spec.RouteNormalPath},
	Title: "Percent-encoded characters of a path are decoded before it is matched.",
	Refs:  []string{"APISIX 3.18 matches nginx $uri", "RFC 3986 6.2.2.2"},
	After: []string{"ROUTE-EXACT"},
	Objects: `
-- routes/{{.ID}}-a --
{"host": "{{.Host}}", "uri": "/admin/x", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-b --
{"host": "{{.Host}}", "uri": "/café/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 1}}": 1}}}
-- routes/{{.ID}}-c --
{"host": "{{.Host}}", "uri": "/a b~c", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 2}}": 1}}}
`,
	Backends: 3,
	Run: func(ctx context.Context, t *spec.T) {
		h := t.Host()
		ask.Route(ctx, t,
			ask.Expect{Host: h, Target: "/%61dmin/%78", Want: 0, Why: "letters"},
			ask.Expect{Host: h, Target: "/admin/%58", Want: ask.None, Why: "a capital is another letter"},
			ask.Expect{Host: h, Target: "/caf%C3%A9/menu", Want: 1, Why: "more than ASCII"},
			ask.Expect{Host: h, Target: "/caf%c3%a9/menu", Want: 1, Why: "digits in small letters"},
			ask.Expect{Host: h, Target: "/a%20b%7Ec", Want: 2, Why: "a blank, and a tilde that needs no encoding"},
			ask.Expect{Host: h, Target: "/a%20b~c", Want: 2, Why: "the same"},
			ask.Expect{Host: h, Target: "/%2561dmin/x", Want: ask.None, Why: "decoded once, not twice"},
		)
	},
}
