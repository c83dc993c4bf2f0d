package cases

import (
	"context"

	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that takes the first prefix written, the one with the
// higher priority, or that gives up when the conditions of the longest fail.
var routePrefixLongest = spec.Case{
	ID: "ROUTE-PREFIX-LONGEST", Level: spec.Must, Needs: []spec.Feature{spec.RouteURI},
	Title:    "Of several prefixes that match the longest wins, whatever the priorities, and when its conditions fail the next shorter one is tried.",
	Refs:     []string{"APISIX 3.18 router radixtree_host_uri", "apache/apisix issues 2423 and 9366"},
	After:    []string{"ROUTE-PREFIX"},
	Objects:  objects("route_prefix_longest"),
	Backends: 3,
	Run: func(ctx context.Context, t *spec.T) {
		h := t.Host()
		route(ctx, t,
			ask{host: h, target: "/a/x", want: 0, why: "only the short prefix matches"},
			ask{host: h, target: "/a/b", want: 0, why: "the long prefix ends with a slash"},
			ask{host: h, target: "/a/b/c", want: 1, why: "the longer prefix beats a higher priority"},
			ask{host: h, method: "POST", target: "/a/b/only-post", want: 2, why: "the longest prefix"},
			ask{host: h, target: "/a/b/only-post", want: 1, why: "the method fails, the next shorter prefix is tried"},
		)
	},
}
