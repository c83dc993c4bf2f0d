package admin

import (
	"context"
	"net/http"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches an Admin API whose key for reading can write, by one of the methods or at
// one of the paths that are no objects, or cannot read.
var adminViewer = spec.Case{
	ID: "ADMIN-VIEWER", Level: spec.Must, Needs: []spec.Feature{spec.AdminViewer},
	Title: "A key with the role viewer reads everything; whatever else it asks for is 401 and does nothing.",
	Refs:  []string{"APISIX 3.18 Admin API, authentication: role viewer"},
	After: []string{"ADMIN-BAD-KEY"},
	Run: func(ctx context.Context, t *spec.T) {
		viewer := t.Env().Admin().ViewerKey
		if viewer == "" {
			t.Brokenf("the driver claims a key that may only read, and says none (admin.viewer-key)")
		}
		as := func(c spec.Call) spec.Call {
			c.NoKey, c.Header = true, map[string]string{"X-API-KEY": viewer}
			return c
		}
		path, other := "/routes/"+t.Name("r"), "/routes/"+t.Name("other")
		t.Put(ctx, path[1:], route(t, `"desc":"kept",`))
		t.Track(other[1:])
		for _, p := range []string{path, "/routes", "/routes?page=1&page_size=10", "/plugins/list", "/plugins/key-auth", "/schema/route"} {
			r := t.Call(ctx, as(get(p)))
			t.Check(r.Status == http.StatusOK, "GET %s: got %s, want 200", p, r)
		}
		r := t.Call(ctx, as(get(other)))
		t.Check(r.Status == http.StatusNotFound, "GET of what is not there: got %s, want 404", r)
		for _, c := range []spec.Call{
			put(other, route(t, "")), put(path, route(t, `"desc":"changed",`)), put(path, `{`), post("/routes", route(t, "")), patch(path, `{"desc":"changed"}`), patch(path+"/desc", `"changed"`),
			del(path), del(path + "?force=true"), post("/schema/validate/routes", `{}`), post("/configs/validate", `{}`), put("/plugins/reload", ""), {Method: http.MethodHead, Path: path},
		} {
			r := t.Call(ctx, as(c))
			m := r.JSON()
			if c.Method == http.MethodHead { // outside of the API
				t.Check(r.Status != http.StatusOK, "HEAD %s: got %s, want a refusal", c.Path, r)
				continue
			}
			t.Check(r.Status == http.StatusUnauthorized && m["error_msg"] == "failed to check token" && m["description"] == "invalid method for role viewer",
				"%s %s: got %s, want 401 with \"invalid method for role viewer\"", c.Method, c.Path, r)
		}
		t.Check(in(stored(ctx, t, path), "desc") == "kept", "the route was changed")
		ask.Missing(ctx, t, get(other))
	},
}
