package admin

import (
	"context"
	"strings"

	"github.com/unilb/unilb/conformance/spec"
)

// Catches an Admin API that cuts texts, or says that one is too long and not how long
// it may be.
var adminTextLength = spec.Case{
	ID: "ADMIN-TEXT-LENGTH", Level: spec.Must, Needs: []spec.Feature{spec.AdminTexts},
	Title: "Of a text that is too short or too long the message names the bound and its length.",
	Refs:  []string{"APISIX 3.18 Admin API, validation messages"},
	After: []string{"ADMIN-BAD-BODY"},
	Run: func(ctx context.Context, t *spec.T) {
		refusedWith(ctx, t,
			no{put("/routes/"+t.Name("r"), `{"uri":"/a","name":"","upstream":{"type":"roundrobin","nodes":{"192.0.2.1:80":1}}}`), `invalid configuration: property "name" validation failed: string too short, expected at least 1, got 0`},
			no{put("/routes/"+t.Name("r"), `{"uri":"/a","name":"`+strings.Repeat("a", 300)+`","upstream":{"type":"roundrobin","nodes":{"192.0.2.1:80":1}}}`), `invalid configuration: property "name" validation failed: string too long, expected at most 256, got 300`},
			no{put("/routes/"+t.Name("r"), `{"uri":"/`+strings.Repeat("a", 4096)+`","upstream":{"type":"roundrobin","nodes":{"192.0.2.1:80":1}}}`), `invalid configuration: property "uri" validation failed: string too long, expected at most 4096, got 4097`},
		)
	},
}
