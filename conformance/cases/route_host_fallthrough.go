package cases

import (
	"context"

	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that decides the host first and then answers 404 when that
// host's routes have no such path (as virtual hosts of a web server do).
var routeHostFallthrough = spec.Case{
	ID: "ROUTE-HOST-FALLTHROUGH", Level: spec.Must, Needs: []spec.Feature{spec.RouteHost},
	Title:    "When no route of the most specific host matches the path, wildcard hosts and then routes without hosts are tried.",
	Refs:     []string{"APISIX 3.18 router radixtree_host_uri, order of hosts"},
	After:    []string{"ROUTE-HOST-WILDCARD"},
	Objects:  objects("route_host_fallthrough"),
	Backends: 3,
	Run: func(ctx context.Context, t *spec.T) {
		h := t.Host()
		route(ctx, t,
			ask{host: "x." + h, target: "/only", want: 1, why: "the exact host has the path"},
			ask{host: "x." + h, target: "/other", want: 0, why: "falls through to the wildcard host"},
			ask{host: "unknown.example", target: "/" + t.ID() + "/any-host", want: 2, why: "a route without hosts serves all of them"},
			ask{host: h, target: "/" + t.ID() + "/any-host", want: 2, why: "no host entry at all"},
			ask{host: "unknown.example", target: "/other", want: none, why: "nothing to fall through to"},
		)
	},
}
