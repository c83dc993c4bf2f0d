package cases

import (
	"context"

	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that matches prefixes by whole segments, or that lets
// "/bar/*" match "/bar".
var routePrefix = spec.Case{
	ID: "ROUTE-PREFIX", Level: spec.Must, Needs: []spec.Feature{spec.RouteURI},
	Title:    "A path that ends with a star matches every path that begins with what is before the star.",
	Refs:     []string{"APISIX 3.18 router radixtree_host_uri, deep prefix match"},
	Objects:  objects("route_prefix"),
	Backends: 2,
	Run: func(ctx context.Context, t *spec.T) {
		h := t.Host()
		route(ctx, t,
			ask{host: h, target: "/foo", want: 0, why: "the star may be empty"},
			ask{host: h, target: "/foobar", want: 0, why: "a prefix ends anywhere"},
			ask{host: h, target: "/foo/bar/baz?q", want: 0, why: "any depth"},
			ask{host: h, target: "/fo", want: none, why: "shorter than the prefix"},
			ask{host: h, target: "/x/foo", want: none, why: "not at the beginning"},
			ask{host: h, target: "/bar/", want: 1, why: "the star may be empty"},
			ask{host: h, target: "/bar/x", want: 1, why: "below the prefix"},
			ask{host: h, target: "/bar", want: none, why: "the slash belongs to the prefix"},
		)
	},
}
