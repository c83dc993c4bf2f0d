package cases

import (
	"context"
	"strings"

	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that ignores the host, compares it with case or with the
// port, or knows only the first of several hosts.
var routeHost = spec.Case{
	ID: "ROUTE-HOST", Level: spec.Must, Needs: []spec.Feature{spec.RouteHost},
	Title:    "A route with hosts serves exactly those hosts, without regard to case and port.",
	Refs:     []string{"APISIX 3.18 router radixtree_host_uri, nginx $host", "RFC 9110 4.2.3"},
	Objects:  objects("route_host"),
	Backends: 2,
	Run: func(ctx context.Context, t *spec.T) {
		h := t.Host()
		route(ctx, t,
			ask{host: "one." + h, target: "/", want: 0, why: "the host itself"},
			ask{host: "two." + h, target: "/", want: 1, why: "first of two"},
			ask{host: "three." + h, target: "/", want: 1, why: "second of two, written with a capital"},
			ask{host: strings.ToUpper("one." + h), target: "/", want: 0, why: "case does not count"},
			ask{host: "one." + h + ":8080", target: "/", want: 0, why: "the port does not count"},
			ask{host: "four." + h, target: "/", want: none, why: "another host"},
			ask{host: h, target: "/", want: none, why: "the parent domain"},
			ask{host: "sub.one." + h, target: "/", want: none, why: "a subdomain"},
		)
	},
}
