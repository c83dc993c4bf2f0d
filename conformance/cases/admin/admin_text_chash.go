package admin

import (
	"context"

	"github.com/unilb/unilb/conformance/spec"
)

// Catches an Admin API that takes consistent hashing of nothing.
var adminTextChash = spec.Case{
	ID: "ADMIN-TEXT-CHASH", Level: spec.Must, Needs: []spec.Feature{spec.AdminTexts},
	Title: "Consistent hashing without a key is refused, and so is a key that cannot be one.",
	Refs:  []string{"APISIX 3.18 Admin API, validation messages"},
	After: []string{"ADMIN-BAD-BODY"},
	Run: func(ctx context.Context, t *spec.T) {
		refusedWith(ctx, t,
			no{put("/upstreams/"+t.Name("u"), `{"nodes":{},"type":"chash"}`), `missing key`},
			no{put("/upstreams/"+t.Name("u"), `{"nodes":{},"type":"chash","hash_on":"header"}`), `missing key`},
			no{put("/upstreams/"+t.Name("u"), `{"nodes":{},"type":"chash","hash_on":"header","key":"a b"}`), `invalid configuration: failed to match pattern "^[a-zA-Z0-9-_]+$" with "a b"`},
		)
	},
}
