package admin

import (
	"context"

	"github.com/unilb/unilb/conformance/spec"
)

// Catches an Admin API that takes a timeout of nothing or a threshold that does not
// fit a counter.
var adminTextRange = spec.Case{
	ID: "ADMIN-TEXT-RANGE", Level: spec.Must, Needs: []spec.Feature{spec.AdminTexts},
	Title: "Of a number out of range the message names the bound.",
	Refs:  []string{"APISIX 3.18 Admin API, validation messages"},
	After: []string{"ADMIN-BAD-BODY"},
	Run: func(ctx context.Context, t *spec.T) {
		refusedWith(ctx, t,
			no{put("/upstreams/"+t.Name("u"), `{"type":"roundrobin","nodes":{"192.0.2.1:80":1},"retries":-1}`), `invalid configuration: property "retries" validation failed: expected -1 to be at least 0`},
			no{put("/upstreams/"+t.Name("u"), `{"type":"roundrobin","nodes":{"192.0.2.1:80":1},"timeout":{"connect":0,"send":1,"read":1}}`), `invalid configuration: property "timeout" validation failed: property "connect" validation failed: expected 0 to be greater than 0`},
			no{put("/upstreams/"+t.Name("u"), `{"type":"roundrobin","nodes":{"192.0.2.1:80":1},"checks":{"active":{"healthy":{"successes":300}}}}`), `invalid configuration: property "checks" validation failed: property "active" validation failed: property "healthy" validation failed: property "successes" validation failed: expected 300 to be at most 254`},
			no{put("/upstreams/"+t.Name("u"), `{"type":"roundrobin","nodes":{"192.0.2.1:80":1},"keepalive_pool":{"size":0}}`), `invalid configuration: property "keepalive_pool" validation failed: property "size" validation failed: expected 0 to be at least 1`},
		)
	},
}
