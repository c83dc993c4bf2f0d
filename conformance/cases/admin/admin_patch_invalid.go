package admin

import (
	"context"
	"fmt"
	"net/http"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a PATCH that looks at the change and not at the object that results, or
// makes an object of a change to nothing.
var adminPatchInvalid = spec.Case{
	ID: "ADMIN-PATCH-INVALID", Level: spec.Must, Needs: []spec.Feature{spec.AdminPatch},
	Title: "PATCH is refused, and changes nothing, when the object that would result is not valid, when it is no object, and when there is nothing to change.",
	Refs:  []string{"APISIX 3.18 Admin API, PATCH", "APISIX 3.18 Admin API, id rules"},
	After: []string{"ADMIN-PATCH-MERGE"},
	Run: func(ctx context.Context, t *spec.T) {
		path := "/routes/" + t.Name("r")
		t.Put(ctx, path[1:], fmt.Sprintf(`{"uri":"/a","host":%q,"desc":"kept","upstream":{%s}}`, t.Host(), nodes))
		before := text(stored(ctx, t, path))
		for _, c := range []struct{ sub, body, begins string }{
			{"", `{"uri":null}`, ""},                               // a route needs one
			{"", `{"upstream":null}`, ""},                          // and somebody who answers
			{"", `{"hosts":["b.example"]}`, ""},                    // beside host
			{"", `{"uri":7}`, ""},                                  //
			{"", `{"no_such_field":1}`, ""},                        //
			{"", `{"upstream":{"nodes":{"192.0.2.1:80":-1}}}`, ""}, //
			{"/upstream/scheme", `"no-such-scheme"`, ""},           //
			{"", `{"id":"another"}`, ""},                           //
			{"", `["desc"]`, "invalid configuration"},              //
			{"", `"desc"`, "invalid configuration"},                //
			{"", ``, "missing new configuration"},                  //
		} {
			ask.Refused(ctx, t, patch(path+c.sub, c.body), http.StatusBadRequest, c.begins)
			after := text(stored(ctx, t, path))
			t.Check(after == before, "PATCH %s with %s was refused and the object is now %s, was %s", c.sub, c.body, after, before)
		}
		ask.Refused(ctx, t, patch("/routes", `{"desc":"x"}`), http.StatusBadRequest, "missing route id")
		none := "/routes/" + t.Name("none")
		ask.Missing(ctx, t, patch(none, route(t, "")))
		ask.Missing(ctx, t, patch(none+"/desc", `"x"`))
		ask.Missing(ctx, t, get(none))
	},
}
