package admin

import (
	"context"

	"github.com/unilb/unilb/conformance/spec"
)

// Catches an Admin API that takes a route which goes nowhere, or one for no path.
var adminTextAnyOf = spec.Case{
	ID: "ADMIN-TEXT-ANY-OF", Level: spec.Must, Needs: []spec.Feature{spec.AdminTexts},
	Title: "A route without a path or without anybody who answers is refused with what would do.",
	Refs:  []string{"APISIX 3.18 Admin API, validation messages"},
	After: []string{"ADMIN-BAD-BODY"},
	Run: func(ctx context.Context, t *spec.T) {
		refusedWith(ctx, t,
			no{put("/routes/"+t.Name("r"), `{"uri":"/a"}`), `invalid configuration: object matches none of the required: ["plugins","uri"] or ["upstream","uri"] or ["upstream_id","uri"] or ["service_id","uri"] or ["plugins","uris"] or ["upstream","uris"] or ["upstream_id","uris"] or ["service_id","uris"] or ["script","uri"] or ["script","uris"]`},
			no{put("/routes/"+t.Name("r"), `{"upstream":{"type":"roundrobin","nodes":{"192.0.2.1:80":1}}}`), `invalid configuration: object matches none of the required: ["plugins","uri"] or ["upstream","uri"] or ["upstream_id","uri"] or ["service_id","uri"] or ["plugins","uris"] or ["upstream","uris"] or ["upstream_id","uris"] or ["service_id","uris"] or ["script","uri"] or ["script","uris"]`},
		)
	},
}
