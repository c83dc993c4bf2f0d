package routing

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that looks for text anywhere in the Cookie field, or
// compares names of cookies without case.
var routeVarsCookie = spec.Case{
	ID: "ROUTE-VARS-COOKIE", Level: spec.Must, Needs: []spec.Feature{spec.RouteVars, spec.RoutePriority},
	Title: "A session is routed by its cookie wherever that stands among others.",
	Refs:  []string{"APISIX 3.18 route.vars, lua-resty-expr 1.3.2, cookie_<name>", "RFC 6265 5.4"},
	After: []string{"ROUTE-VARS-HEADER"},
	Objects: `
-- routes/{{.ID}}-a --
{"host": "{{.Host}}", "uri": "/x", "vars": [["cookie_sid", "==", "b2"]], "priority": 1, "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-b --
{"host": "{{.Host}}", "uri": "/x", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 1}}": 1}}}
`,
	Backends: 2,
	Run: func(ctx context.Context, t *spec.T) {
		h := t.Host()
		ask.Route(ctx, t,
			ask.Expect{Host: h, Target: "/x", Header: with("Cookie", "sid=b2"), Want: 0, Why: "alone"},
			ask.Expect{Host: h, Target: "/x", Header: with("Cookie", "sid=b2; theme=dark"), Want: 0, Why: "first"},
			ask.Expect{Host: h, Target: "/x", Header: with("Cookie", "theme=dark; lang=en; sid=b2"), Want: 0, Why: "last"},
			ask.Expect{Host: h, Target: "/x", Header: with("Cookie", "sid=b21"), Want: 1, Why: "another value"},
			ask.Expect{Host: h, Target: "/x", Header: with("Cookie", "xsid=b2"), Want: 1, Why: "another cookie that ends so"},
			ask.Expect{Host: h, Target: "/x", Header: with("Cookie", "SID=b2"), Want: 1, Why: "names have case"},
			ask.Expect{Host: h, Target: "/x", Header: with("Cookie", "note=sid=b2"), Want: 1, Why: "the value of another"},
			ask.Expect{Host: h, Target: "/x", Want: 1, Why: "no cookie"},
			ask.Expect{Host: h, Target: "/x", Header: with("Sid", "b2"), Want: 1, Why: "a field of that name is no cookie"},
		)
	},
}
