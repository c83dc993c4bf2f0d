package admin

import (
	"context"
	"net/http"
	"strings"

	"github.com/unilb/unilb/conformance/spec"
)

// Catches an API of whole configurations beside which objects can be written one by
// one: the next configuration deletes them without a word.
var adminStandaloneAlone = spec.Case{
	ID: "ADMIN-STANDALONE-ALONE", Level: spec.Must, Needs: []spec.Feature{spec.AdminStandalone},
	Title: "Where whole configurations are taken there is nothing else: other paths and methods are nginx's page 404, and configurations need a key.",
	Refs:  []string{"APISIX 3.18, standalone API: only these endpoints exist"},
	Run: func(ctx context.Context, t *spec.T) {
		for _, c := range []spec.Call{
			get("/routes"), put("/routes/1", `{}`), del("/routes/1"), get("/plugins/list"), get("/schema/route"), post(configs, `{}`), del(configs), get(configs + "/validate"), patch(configs, `{}`),
		} {
			r := t.Call(ctx, c)
			t.Check(r.Status == http.StatusNotFound && strings.Contains(r.Header.Get("Content-Type"), "text/html"), "%s %s: got %s as %q, want 404 in HTML", c.Method, c.Path, r, r.Header.Get("Content-Type"))
		}
		for _, c := range []spec.Call{get(configs), replace(`{}`), post(configs+"/validate", `{}`), {Method: http.MethodHead, Path: configs}} {
			c.NoKey = true
			r := t.Call(ctx, c)
			t.Check(r.Status == http.StatusUnauthorized, "%s %s without a key: got %s, want 401", c.Method, c.Path, r)
		}
		r := t.Call(ctx, post(configs+"/validate", t.Render(`{"routes":[{"id":"{{.ID}}","uri":"/","plugins":{},"modifiedIndex":5}]}`)))
		t.Check(r.Status == http.StatusOK && strings.TrimSpace(string(r.Body)) == "{}", "validate: got %s, want 200 with {}", r)
	},
}
