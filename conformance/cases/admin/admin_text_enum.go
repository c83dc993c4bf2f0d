package admin

import (
	"context"

	"github.com/unilb/unilb/conformance/spec"
)

// Catches an Admin API that takes a word that no gateway knows.
var adminTextEnum = spec.Case{
	ID: "ADMIN-TEXT-ENUM", Level: spec.Must, Needs: []spec.Feature{spec.AdminTexts},
	Title: "A word that is not in the list is refused.",
	Refs:  []string{"APISIX 3.18 Admin API, validation messages"},
	After: []string{"ADMIN-BAD-BODY"},
	Run: func(ctx context.Context, t *spec.T) {
		refusedWith(ctx, t,
			no{put("/routes/"+t.Name("r"), `{"uri":"/a","methods":["GET","FETCH"],"upstream":{"type":"roundrobin","nodes":{"192.0.2.1:80":1}}}`), `invalid configuration: property "methods" validation failed: failed to validate item 2: matches none of the enum values`},
			no{put("/routes/"+t.Name("r"), `{"uri":"/a","status":2,"upstream":{"type":"roundrobin","nodes":{"192.0.2.1:80":1}}}`), `invalid configuration: property "status" validation failed: matches none of the enum values`},
			no{put("/upstreams/"+t.Name("u"), `{"type":"roundrobin","nodes":{"192.0.2.1:80":1},"scheme":"gopher"}`), `invalid configuration: property "scheme" validation failed: matches none of the enum values`},
			no{put("/upstreams/"+t.Name("u"), `{"type":"roundrobin","nodes":{"192.0.2.1:80":1},"pass_host":"lose"}`), `invalid configuration: property "pass_host" validation failed: matches none of the enum values`},
			no{put("/upstreams/"+t.Name("u"), `{"type":"roundrobin","nodes":{"192.0.2.1:80":1},"hash_on":"moon"}`), `invalid configuration: property "hash_on" validation failed: matches none of the enum values`},
		)
	},
}
