package admin

import (
	"context"
	"net/http"
	"strings"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches an Admin API that does not know the paths that scripts make of an address with
// a slash at its end, or tells what is outside of it in words of its own.
var adminPaths = spec.Case{
	ID: "ADMIN-PATHS", Level: spec.Must, Needs: []spec.Feature{spec.AdminCRUD},
	Title: "Several slashes in a row are one, and one at the end of a kind or an id changes nothing; methods and paths that the router does not have are nginx's page 404.",
	Refs:  []string{"APISIX 3.18 Admin API, early errors", "nginx, merge_slashes"},
	After: []string{"ADMIN-ENVELOPE"},
	Run: func(ctx context.Context, t *spec.T) {
		id := t.Name("r")
		t.Track("routes/" + id)
		ask.Answered(ctx, t, put("//routes///"+id, route(t, "")), http.StatusCreated)
		for _, path := range []string{"/routes/" + id, "/routes/" + id + "/", "//routes/" + id, "/routes//" + id} {
			t.Check(in(stored(ctx, t, path), "id") == id, "GET %s: is not %s", path, id)
		}
		r := ask.Answered(ctx, t, get("/routes/"), http.StatusOK)
		list, _ := r.JSON()["list"].([]any)
		t.Check(countID(list, id) == 1, "GET /routes/: got %s, want a list with %s", r, id)
		ask.Refused(ctx, t, get("/"), http.StatusNotFound, "Unsupported resource type: ")
		for _, c := range []spec.Call{{Method: http.MethodGet}, {Method: http.MethodHead, Path: "/routes"}, {Method: "PURGE", Path: "/routes/" + id}} {
			r := t.Call(ctx, c)
			t.Check(r.Status == http.StatusNotFound && strings.HasPrefix(r.Header.Get("Content-Type"), "text/html"), "%s %s: got %s as %q, want 404 in HTML", c.Method, c.Path, r, r.Header.Get("Content-Type"))
		}
	},
}
