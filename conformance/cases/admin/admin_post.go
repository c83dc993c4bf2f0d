package admin

import (
	"context"
	"fmt"
	"net/http"
	"regexp"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

var legalID = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// Catches an Admin API that answers a POST without the id that it chose, gives
// one id to two objects, or takes an id from the client and replaces what is
// there.
var adminPost = spec.Case{
	ID: "ADMIN-POST", Level: spec.Must, Needs: []spec.Feature{spec.AdminCRUD},
	Title: "POST stores the object under a new id of legal shape, answers 201 with it, and takes no id from the client.",
	Refs:  []string{"APISIX 3.18 Admin API, id rules: POST", "APISIX 3.18 Admin API, response envelope"},
	After: []string{"ADMIN-ENVELOPE"},
	Run: func(ctx context.Context, t *spec.T) {
		seen := map[string]bool{}
		for i := range 3 {
			r := ask.Answered(ctx, t, post("/routes", route(t, fmt.Sprintf(`"desc":"number %d",`, i))), http.StatusCreated)
			id, _ := in(r.JSON(), "value", "id").(string)
			if !t.Check(legalID.MatchString(id), "POST: got %s, want an id in value.id", r) {
				return
			}
			path := "/routes/" + id
			t.Track(path[1:])
			t.Check(!seen[id], "POST: the id %s was given twice", id)
			seen[id] = true
			envelope(t, r, id, false)
			got := envelope(t, ask.Answered(ctx, t, get(path), http.StatusOK), id, true)
			t.Check(got["desc"] == fmt.Sprintf("number %d", i), "GET %s: got %v, want the object of POST %d", path, got, i)
		}
		t.Step("ids of the client's")
		kept, name := "/routes/"+t.Name("kept"), t.Name("kept")
		t.Put(ctx, kept[1:], route(t, `"desc":"kept",`))
		ask.Refused(ctx, t, post("/routes", route(t, fmt.Sprintf(`"id":%q,`, name))), http.StatusBadRequest, "wrong route id, do not need it")
		ask.Refused(ctx, t, post(kept, route(t, "")), http.StatusBadRequest, "wrong route id, do not need it")
		t.Check(stored(ctx, t, kept)["desc"] == "kept", "a refused POST changed %s", kept)
	},
}
