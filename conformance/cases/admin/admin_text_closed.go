package admin

import (
	"context"

	"github.com/unilb/unilb/conformance/spec"
)

// Catches an Admin API that takes a misspelt member, at the top or in an upstream, so
// that it silently does nothing.
var adminTextClosed = spec.Case{
	ID: "ADMIN-TEXT-CLOSED", Level: spec.Must, Needs: []spec.Feature{spec.AdminTexts},
	Title: "A member that a kind does not have is refused by its name, at the top and in an inline upstream.",
	Refs:  []string{"APISIX 3.18 Admin API, validation messages"},
	After: []string{"ADMIN-BAD-BODY"},
	Run: func(ctx context.Context, t *spec.T) {
		refusedWith(ctx, t,
			no{put("/routes/"+t.Name("r"), `{"uri":"/a","prioritty":1,"upstream":{"type":"roundrobin","nodes":{"192.0.2.1:80":1}}}`), `invalid configuration: additional properties forbidden, found prioritty`},
			no{put("/upstreams/"+t.Name("u"), `{"type":"roundrobin","nodes":{"192.0.2.1:80":1},"retrys":1}`), `invalid configuration: additional properties forbidden, found retrys`},
			no{put("/routes/"+t.Name("r"), `{"uri":"/a","upstream":{"nodes":{"192.0.2.1:80":1},"retrys":1}}`), `invalid configuration: property "upstream" validation failed: additional properties forbidden, found retrys`},
		)
	},
}
