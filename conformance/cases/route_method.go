package cases

import (
	"context"

	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that ignores methods, answers 405, or takes HEAD for GET.
var routeMethod = spec.Case{
	ID: "ROUTE-METHOD", Level: spec.Must, Needs: []spec.Feature{spec.RouteMethods},
	Title:    "A route with methods serves those methods and no other; HEAD is not implied by GET.",
	Refs:     []string{"APISIX 3.18 route.methods"},
	Objects:  objects("route_method"),
	Backends: 2,
	Run: func(ctx context.Context, t *spec.T) {
		h := t.Host()
		route(ctx, t,
			ask{host: h, method: "GET", target: "/m", want: 0, why: "listed"},
			ask{host: h, method: "POST", target: "/m", want: 1, why: "listed first"},
			ask{host: h, method: "PUT", target: "/m", want: 1, why: "listed second"},
			ask{host: h, method: "DELETE", target: "/m", want: none, why: "not listed"},
			ask{host: h, method: "HEAD", target: "/m", want: none, why: "GET does not imply HEAD"},
		)
	},
}
