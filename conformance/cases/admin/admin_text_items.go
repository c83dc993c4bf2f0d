package admin

import (
	"context"

	"github.com/unilb/unilb/conformance/spec"
)

// Catches an Admin API that takes an empty list of paths, which no request has.
var adminTextItems = spec.Case{
	ID: "ADMIN-TEXT-ITEMS", Level: spec.Must, Needs: []spec.Feature{spec.AdminTexts},
	Title: "A list that is too short, or has an item twice, is refused; items are counted from 1.",
	Refs:  []string{"APISIX 3.18 Admin API, validation messages"},
	After: []string{"ADMIN-BAD-BODY"},
	Run: func(ctx context.Context, t *spec.T) {
		refusedWith(ctx, t,
			no{put("/routes/"+t.Name("r"), `{"uris":[],"upstream":{"type":"roundrobin","nodes":{"192.0.2.1:80":1}}}`), `invalid configuration: property "uris" validation failed: expect array to have at least 1 items`},
			no{put("/routes/"+t.Name("r"), `{"uris":["/a","/b","/a"],"upstream":{"type":"roundrobin","nodes":{"192.0.2.1:80":1}}}`), `invalid configuration: property "uris" validation failed: expected unique items but items 1 and 3 are equal`},
			no{put("/routes/"+t.Name("r"), `{"uri":"/a","methods":["PUT","GET","GET"],"upstream":{"type":"roundrobin","nodes":{"192.0.2.1:80":1}}}`), `invalid configuration: property "methods" validation failed: expected unique items but items 2 and 3 are equal`},
		)
	},
}
