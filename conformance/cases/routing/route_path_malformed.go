package routing

import (
	"context"
	"net/http"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that forwards paths that mean something else to everybody
// who reads them.
var routePathMalformed = spec.Case{
	ID: "ROUTE-PATH-MALFORMED", Level: spec.Should, Needs: []spec.Feature{spec.RouteURI},
	Title: "A path with a broken percent escape or an encoded NUL is refused with 400.",
	Refs:  []string{"RFC 3986 2.1", "RFC 9112 3, an invalid request line is answered 400", "APISIX 3.18 on nginx"},
	After: []string{"ROUTE-PREFIX"},
	Objects: `
-- routes/{{.ID}}-a --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
`,
	Backends: 1,
	Run: func(ctx context.Context, t *spec.T) {
		h := t.Host()
		refused(ctx, t, []int{http.StatusBadRequest},
			ask.Expect{Host: h, Target: "/%zz", Why: "no hexadecimal digits"},
			ask.Expect{Host: h, Target: "/a%4", Why: "one digit"},
			ask.Expect{Host: h, Target: "/a%", Why: "no digits"},
			ask.Expect{Host: h, Target: "/a%00b", Why: "a NUL"},
			ask.Expect{Host: h, Target: "/%u0041", Why: "not an escape of URIs"},
		)
		ask.Route(ctx, t, ask.Expect{Host: h, Target: "/a%25", Want: 0, Why: "an encoded percent sign"})
	},
}
