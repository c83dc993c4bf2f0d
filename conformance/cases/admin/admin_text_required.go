package admin

import (
	"context"

	"github.com/unilb/unilb/conformance/spec"
)

// Catches an Admin API that says that something is missing, and not what.
var adminTextRequired = spec.Case{
	ID: "ADMIN-TEXT-REQUIRED", Level: spec.Must, Needs: []spec.Feature{spec.AdminTexts},
	Title: "Of a member that is missing the message names it.",
	Refs:  []string{"APISIX 3.18 Admin API, validation messages"},
	After: []string{"ADMIN-BAD-BODY"},
	Run: func(ctx context.Context, t *spec.T) {
		refusedWith(ctx, t,
			no{put("/routes/"+t.Name("r"), `{"uri":"/a","timeout":{"connect":1,"send":1},"upstream":{"type":"roundrobin","nodes":{"192.0.2.1:80":1}}}`), `invalid configuration: property "timeout" validation failed: property "read" is required`},
			no{put("/upstreams/"+t.Name("u"), `{"type":"roundrobin","nodes":{"192.0.2.1:80":1},"timeout":{"send":1,"read":1}}`), `invalid configuration: property "timeout" validation failed: property "connect" is required`},
		)
	},
}
