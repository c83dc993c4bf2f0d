package admin

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/unilb/unilb/conformance/spec"
)

// Catches an Admin API that dashboards in a browser cannot use: the preflight
// asks for a key that browsers do not send, or only good answers may be read.
var adminCORS = spec.Case{
	ID: "ADMIN-CORS", Level: spec.Must, Needs: []spec.Feature{spec.AdminCRUD},
	Title: "OPTIONS is answered with 200 without a key and allows all methods and headers; every answer may be read by any origin.",
	Refs:  []string{"APISIX 3.18 Admin API, transport: CORS", "Fetch, CORS protocol"},
	Run: func(ctx context.Context, t *spec.T) {
		for _, path := range []string{"", "/routes", "/routes/" + t.Name("r"), "/no-such-kind"} {
			r := t.Call(ctx, spec.Call{Method: http.MethodOptions, Path: path, NoKey: true, Header: map[string]string{
				"Origin": "https://dashboard.example", "Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "x-api-key",
			}})
			t.Check(r.Status == http.StatusOK && r.Header.Get("Access-Control-Allow-Headers") == "*", "OPTIONS %s: got %s with Access-Control-Allow-Headers %q, want 200 with *", path, r, r.Header.Get("Access-Control-Allow-Headers"))
			var allowed []string
			for m := range strings.SplitSeq(r.Header.Get("Access-Control-Allow-Methods"), ",") {
				allowed = append(allowed, strings.TrimSpace(m))
			}
			for _, m := range []string{"GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"} {
				t.Check(slices.Contains(allowed, m), "OPTIONS %s: %s is not among the allowed methods %q", path, m, allowed)
			}
			readable(t, "OPTIONS "+path, r)
		}
		for _, c := range []struct {
			call   spec.Call
			status int
		}{
			{get("/routes"), http.StatusOK},
			{get("/routes/" + t.Name("r")), http.StatusNotFound},
			{get("/no-such-kind"), http.StatusNotFound},
			{put("/routes/"+t.Name("r"), "{"), http.StatusBadRequest},
			{spec.Call{Method: http.MethodGet, Path: "/routes", NoKey: true}, http.StatusUnauthorized},
		} {
			r := t.Call(ctx, c.call)
			t.Check(r.Status == c.status, "%s %s: got %s, want %d", c.call.Method, c.call.Path, r, c.status)
			readable(t, c.call.Method+" "+c.call.Path, r)
		}
	},
}

// readable says whether a browser hands the answer to a page of another origin.
func readable(t *spec.T, what string, r spec.Reply) {
	for name, want := range map[string]string{"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": "*", "Access-Control-Max-Age": "3600"} {
		t.Check(slices.Equal(r.Header.Values(name), []string{want}), "%s (%d): %s is %q, want %q", what, r.Status, name, r.Header.Values(name), want)
	}
}
