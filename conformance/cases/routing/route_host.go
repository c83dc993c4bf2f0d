package routing

import (
	"context"
	"strings"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that ignores the host, compares it with case or with the
// port, or knows only the first of several hosts.
var routeHost = spec.Case{
	ID: "ROUTE-HOST", Level: spec.Must, Needs: []spec.Feature{spec.RouteHost},
	Title: "A route with hosts serves exactly those hosts, without regard to case and port.",
	Refs:  []string{"APISIX 3.18 router radixtree_host_uri, nginx $host", "RFC 9110 4.2.3"},
	Objects: `
-- routes/{{.ID}}-a --
{"host": "one.{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-b --
{"hosts": ["two.{{.Host}}", "Three.{{.Host}}"], "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 1}}": 1}}}
`,
	Backends: 2,
	Run: func(ctx context.Context, t *spec.T) {
		h := t.Host()
		ask.Route(ctx, t,
			ask.Expect{Host: "one." + h, Target: "/", Want: 0, Why: "the host itself"},
			ask.Expect{Host: "two." + h, Target: "/", Want: 1, Why: "first of two"},
			ask.Expect{Host: "three." + h, Target: "/", Want: 1, Why: "second of two, written with a capital"},
			ask.Expect{Host: strings.ToUpper("one." + h), Target: "/", Want: 0, Why: "case does not count"},
			ask.Expect{Host: "one." + h + ":8080", Target: "/", Want: 0, Why: "the port does not count"},
			ask.Expect{Host: "four." + h, Target: "/", Want: ask.None, Why: "another host"},
			ask.Expect{Host: h, Target: "/", Want: ask.None, Why: "the parent domain"},
			ask.Expect{Host: "sub.one." + h, Target: "/", Want: ask.None, Why: "a subdomain"},
		)
	},
}
