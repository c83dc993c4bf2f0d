package admin

import (
	"context"
	"fmt"
	"hash/fnv"
	"net/http"
	"strings"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches an Admin API that cuts or folds ids, so that one object replaces
// another, takes ids that do not fit into its paths, or ignores the id of the
// body when the path has none.
var adminIDs = spec.Case{
	ID: "ADMIN-IDS", Level: spec.Must, Needs: []spec.Feature{spec.AdminCRUD},
	Title: "Ids are 1 to 64 of A-Z a-z 0-9 . _ - or a positive integer, in the path or in the body of PUT; all others, and none at all, are refused.",
	Refs:  []string{"APISIX 3.18 Admin API, id rules", "APISIX 3.18 Admin API, resources: URL forms"},
	After: []string{"ADMIN-ENVELOPE"},
	Run: func(ctx context.Context, t *spec.T) {
		long := t.ID() + "._-" + strings.Repeat("x", 64)
		t.Step("legal ids, apart from each other")
		legal := []string{t.Name("a"), t.Name("A"), t.Name("a.b"), t.Name("a_b"), long[:63], long[:64]}
		for _, id := range legal {
			t.Put(ctx, "routes/"+id, route(t, fmt.Sprintf(`"desc":%q,`, id)))
		}
		for _, id := range legal {
			got := stored(ctx, t, "/routes/"+id)
			t.Check(got["id"] == id && got["desc"] == id, "GET /routes/%s: got %v, want the object that was put there", id, got)
		}

		t.Step("an id in the body only")
		number := fmt.Sprint(1_000_000 + hash(t.ID())%1_000_000)
		for _, c := range []struct{ id, json string }{{t.Name("body"), fmt.Sprintf("%q", t.Name("body"))}, {number, number}} {
			t.Track("routes/" + c.id)
			ask.Answered(ctx, t, put("/routes", route(t, `"id":`+c.json+`,"desc":"by body",`)), http.StatusCreated)
			got := stored(ctx, t, "/routes/"+c.id)
			t.Check(got["desc"] == "by body", "PUT /routes with id %s: got %v", c.json, got)
		}
		ask.Answered(ctx, t, put("/routes/"+number, route(t, `"id":`+number+`,`)), http.StatusOK)
		t.Check(stored(ctx, t, "/routes/"+number)["id"] == number, "PUT /routes/%s with that number as id: it is not stored as the string of the path", number)

		ask.Refused(ctx, t, put("/routes/"+number, route(t, `"id":`+number+`.5,`)), http.StatusBadRequest, "wrong route id")

		t.Step("illegal ids")
		for _, id := range []string{long[:65], t.Name("a%20b"), t.Name("%C3%A4"), t.Name("a%3Ab"), t.Name("a%24")} {
			t.Track("routes/" + id)
			ask.Refused(ctx, t, put("/routes/"+id, route(t, "")), http.StatusBadRequest, "")
		}
		for _, id := range []string{`0`, `-1`, `1.5`, `""`, `true`, `"a b"`} {
			ask.Refused(ctx, t, put("/routes", route(t, `"id":`+id+`,`)), http.StatusBadRequest, "")
		}

		t.Step("no id")
		ask.Refused(ctx, t, put("/routes", route(t, "")), http.StatusBadRequest, "missing route id")
		ask.Refused(ctx, t, del("/routes"), http.StatusBadRequest, "missing route id")
		ask.Refused(ctx, t, del("/services"), http.StatusBadRequest, "missing service id")
		ask.Refused(ctx, t, put("/upstreams", `{`+nodes+`}`), http.StatusBadRequest, "missing upstream id")
	},
}

// hash makes a number of a name.
func hash(s string) uint32 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(s)) // never fails
	return h.Sum32()
}
