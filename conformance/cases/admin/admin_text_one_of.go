package admin

import (
	"context"

	"github.com/unilb/unilb/conformance/spec"
)

// Catches an Admin API that takes an upstream with two sources of nodes and picks one.
var adminTextOneOf = spec.Case{
	ID: "ADMIN-TEXT-ONE-OF", Level: spec.Must, Needs: []spec.Feature{spec.AdminTexts},
	Title: "An upstream has nodes, or a service that is discovered: neither and both are refused.",
	Refs:  []string{"APISIX 3.18 Admin API, validation messages"},
	After: []string{"ADMIN-BAD-BODY"},
	Run: func(ctx context.Context, t *spec.T) {
		refusedWith(ctx, t,
			no{put("/upstreams/"+t.Name("u"), `{"type":"roundrobin"}`), `invalid configuration: value should match only one schema, but matches none`},
			no{put("/upstreams/"+t.Name("u"), `{"nodes":{"192.0.2.1:80":1},"service_name":"a","discovery_type":"dns"}`), `invalid configuration: value should match only one schema, but matches both schemas 1 and 2`},
			no{put("/routes/"+t.Name("r"), `{"uri":"/a","upstream":{}}`), `invalid configuration: property "upstream" validation failed: value should match only one schema, but matches none`},
		)
	},
}
