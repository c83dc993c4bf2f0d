package admin

import (
	"context"

	"github.com/unilb/unilb/conformance/spec"
)

// Catches an Admin API that takes an address at which nobody can be.
var adminTextNodes = spec.Case{
	ID: "ADMIN-TEXT-NODES", Level: spec.Must, Needs: []spec.Feature{spec.AdminTexts},
	Title: "A node with a port out of range, or with an IPv6 address that is not in brackets, is refused.",
	Refs:  []string{"APISIX 3.18 Admin API, validation messages"},
	After: []string{"ADMIN-BAD-BODY"},
	Run: func(ctx context.Context, t *spec.T) {
		refusedWith(ctx, t,
			no{put("/upstreams/"+t.Name("u"), `{"nodes":{"192.0.2.1:65536":1}}`), `invalid port 65536`},
			no{put("/upstreams/"+t.Name("u"), `{"nodes":{"192.0.2.1:0":1}}`), `invalid port 0`},
			no{put("/upstreams/"+t.Name("u"), `{"nodes":[{"host":"2001:db8::1","port":80,"weight":1}]}`), `invalid configuration: IPv6 address must be enclosed with '[' and ']'`},
			no{put("/routes/"+t.Name("r"), `{"uri":"/a","upstream":{"nodes":{"192.0.2.1:65536":1}}}`), `invalid port 65536`},
		)
	},
}
