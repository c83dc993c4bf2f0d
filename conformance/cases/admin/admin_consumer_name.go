package admin

import (
	"context"
	"net/http"
	"strings"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches an Admin API that takes a name which no header can hold, or renames
// consumers.
var adminConsumerName = spec.Case{
	ID: "ADMIN-CONSUMER-NAME", Level: spec.Must, Needs: []spec.Feature{spec.AdminKinds},
	Title: "A consumer's username is 1 to 256 letters, digits, hyphens and underscores; it is all that names it, and no id is stored.",
	Refs:  []string{"APISIX 3.18 Admin API, resources: consumers"},
	After: []string{"ADMIN-KINDS"},
	Run: func(ctx context.Context, t *spec.T) {
		name := t.Name("_u-1")
		t.Track("consumers/" + name)
		v := valueOf(t, ask.Answered(ctx, t, put("/consumers/"+name, `{"username":"`+name+`","id":"`+name+`"}`), http.StatusCreated))
		t.Check(v["id"] == nil && v["username"] == name, "PUT with an id: got %s, want the username and no id", text(v))
		t.Check(v["create_time"] != nil && v["update_time"] != nil, "a consumer without times: %s", text(v))
		refusedWith(ctx, t,
			no{put("/consumers", `{}`), `invalid configuration: property "username" is required`},
			no{put("/consumers", `{"username":"`+name+`","id":"a b"}`), `invalid configuration: property "id" validation failed: object matches none of the required`},
			no{put("/consumers", `{"username":"a.b"}`), `invalid configuration: property "username" validation failed: failed to match pattern "^[a-zA-Z0-9_\\-]+$" with "a.b"`},
			no{put("/consumers", `{"username":"`+strings.Repeat("a", 257)+`"}`), `invalid configuration: property "username" validation failed: string too long, expected at most 256, got 257`},
			no{put("/consumers/"+name, `{"username":"`+name+`2"}`), "wrong username"},
			no{del("/consumers"), "missing consumer id"},
		)
	},
}
