package admin

import (
	"context"

	"github.com/unilb/unilb/conformance/spec"
)

// Catches an Admin API that takes an upstream whose Host header is to be replaced by
// nothing.
var adminTextRewrite = spec.Case{
	ID: "ADMIN-TEXT-REWRITE", Level: spec.Must, Needs: []spec.Feature{spec.AdminTexts},
	Title: "pass_host rewrite needs upstream_host.",
	Refs:  []string{"APISIX 3.18 Admin API, validation messages"},
	After: []string{"ADMIN-BAD-BODY"},
	Run: func(ctx context.Context, t *spec.T) {
		refusedWith(ctx, t,
			no{put("/upstreams/"+t.Name("u"), `{"nodes":{},"pass_host":"rewrite"}`), "`upstream_host` can't be empty when `pass_host` is `rewrite`"},
			no{put("/routes/"+t.Name("r"), `{"uri":"/a","upstream":{"nodes":{},"pass_host":"rewrite"}}`), "`upstream_host` can't be empty when `pass_host` is `rewrite`"},
		)
	},
}
