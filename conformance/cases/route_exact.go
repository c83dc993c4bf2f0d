package cases

import (
	"context"

	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that takes every path for a prefix, or that matches the
// query string along with the path.
var routeExact = spec.Case{
	ID: "ROUTE-EXACT", Level: spec.Must, Needs: []spec.Feature{spec.RouteURI},
	Title:    "A route whose path has no star matches that path only, with any query.",
	Refs:     []string{"APISIX 3.18 router radixtree_host_uri, full path match"},
	Objects:  objects("route_exact"),
	Backends: 1,
	Run: func(ctx context.Context, t *spec.T) {
		h := t.Host()
		route(ctx, t,
			ask{host: h, target: "/exact", want: 0, why: "the path itself"},
			ask{host: h, target: "/exact?a=/other", want: 0, why: "the query takes no part"},
			ask{host: h, target: "/exact/", want: none, why: "a slash more is another path"},
			ask{host: h, target: "/exactly", want: none, why: "not a prefix"},
			ask{host: h, target: "/exac", want: none, why: "shorter"},
			ask{host: h, target: "/EXACT", want: none, why: "case counts in paths"},
		)
	},
}
