package cases

import (
	"context"

	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway whose wildcard covers one label only or the domain itself,
// and one that lets priority or order decide between hosts.
var routeHostWildcard = spec.Case{
	ID: "ROUTE-HOST-WILDCARD", Level: spec.Must, Needs: []spec.Feature{spec.RouteHost},
	Title:    "A wildcard host covers names of any depth below it but not the domain itself; the exact host and the longer wildcard win.",
	Refs:     []string{"APISIX 3.18 router radixtree_host_uri, order of hosts"},
	After:    []string{"ROUTE-HOST"},
	Objects:  objects("route_host_wildcard"),
	Backends: 3,
	Run: func(ctx context.Context, t *spec.T) {
		h := t.Host()
		route(ctx, t,
			ask{host: "a." + h, target: "/", want: 0, why: "one label below"},
			ask{host: "a.b." + h, target: "/", want: 0, why: "two labels below"},
			ask{host: h, target: "/", want: none, why: "the domain itself"},
			ask{host: "a" + h, target: "/", want: none, why: "the dot belongs to the suffix"},
			ask{host: "x." + h, target: "/", want: 2, why: "the exact host wins over a higher priority"},
			ask{host: "y.deep." + h, target: "/", want: 1, why: "the longer suffix wins over a higher priority"},
			ask{host: "deep." + h, target: "/", want: 0, why: "the longer wildcard does not cover its own domain"},
		)
	},
}
