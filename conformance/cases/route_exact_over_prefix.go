package cases

import (
	"context"

	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that compares priorities before kinds of match, or that
// answers 404 when the exact path's conditions fail.
var routeExactOverPrefix = spec.Case{
	ID: "ROUTE-EXACT-OVER-PREFIX", Level: spec.Must, Needs: []spec.Feature{spec.RouteURI},
	Title:    "An exact path beats a prefix, whatever the priorities, and when its conditions fail the prefix is tried.",
	Refs:     []string{"APISIX 3.18 router radixtree_host_uri", "apache/apisix issue 2423"},
	After:    []string{"ROUTE-EXACT", "ROUTE-PREFIX"},
	Objects:  objects("route_exact_over_prefix"),
	Backends: 2,
	Run: func(ctx context.Context, t *spec.T) {
		h := t.Host()
		route(ctx, t,
			ask{host: h, target: "/p/x", want: 1, why: "exact beats prefix"},
			ask{host: h, target: "/p/y", want: 0, why: "only the prefix matches"},
			ask{host: h, method: "PUT", target: "/p/x", want: 0, why: "the method fails, the prefix is tried"},
		)
	},
}
