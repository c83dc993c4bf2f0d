package admin

import (
	"context"
	"net/http"
	"strings"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches an Admin API whose list of plugins a crawler can change.
var adminPluginsReload = spec.Case{
	ID: "ADMIN-PLUGINS-RELOAD", Level: spec.Must, Needs: []spec.Feature{spec.AdminPlugins},
	Title: "Plugins are read again on PUT, which answers done; other methods are 405. What has no handler is not found, whatever the body.",
	Refs:  []string{"APISIX 3.18 Admin API, plugin and schema endpoints"},
	After: []string{"ADMIN-PLUGINS-LIST"},
	Run: func(ctx context.Context, t *spec.T) {
		r := ask.Answered(ctx, t, spec.Call{Method: http.MethodPut, Path: "/plugins/reload"}, http.StatusOK)
		t.Check(strings.TrimSpace(string(r.Body)) == "done", "got %s, want done", r)
		refusedAs(ctx, t, http.StatusMethodNotAllowed, no{get("/plugins/reload"), "please use PUT method to reload the plugins, GET method is not allowed."})
		ask.Refused(ctx, t, post("/plugins", `{}`), http.StatusNotFound, "not found")
		ask.Refused(ctx, t, post("/plugins", `{`), http.StatusNotFound, "not found")
	},
}
