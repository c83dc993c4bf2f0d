package admin

import (
	"context"
	"net/http"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches an Admin API that takes settings of plugins that do not exist, or writes
// times into them.
var adminMetadata = spec.Case{
	ID: "ADMIN-METADATA", Level: spec.Must, Needs: []spec.Feature{spec.AdminKinds},
	Title: "What all uses of a plugin share is written under its name, holds an id and no times, and only plugins that exist have any.",
	Refs:  []string{"APISIX 3.18 Admin API, resources: plugin_metadata", "APISIX 3.18 Admin API, timestamps"},
	After: []string{"ADMIN-KINDS"},
	Run: func(ctx context.Context, t *spec.T) {
		const path = "/plugin_metadata/http-logger"
		t.Track(path[1:])
		r := t.Call(ctx, put(path, `{"log_format":{"host":"$host"}}`))
		v := valueOf(t, r)
		t.Check(r.Status/100 == 2 && text(v) == `{"id":"http-logger","log_format":{"host":"$host"}}`, "PUT: got %s, want the object with its id alone", r)
		r = ask.Answered(ctx, t, get(path), http.StatusOK)
		t.Check(isKey(r.JSON()["key"], "plugin_metadata", "http-logger"), "GET: got %s", r)
		refusedWith(ctx, t,
			no{put("/plugin_metadata/key-oauth", `{}`), "invalid plugin name"},
			no{put("/plugin_metadata", `{}`), "missing plugin name"},
			no{put(path, ``), "missing configurations"},
			no{put(path, `{"log_format":1}`), `invalid configuration: property "log_format" validation failed: wrong type: expected object, got number`},
			no{del("/plugin_metadata"), "missing plugin_metadata id"},
		)
		for _, method := range []string{http.MethodPost, http.MethodPatch} {
			ask.Refused(ctx, t, spec.Call{Method: method, Path: path, Body: `{}`}, http.StatusMethodNotAllowed, "not supported `"+method+"` method for plugin_metadata")
		}
		ask.Answered(ctx, t, del(path), http.StatusOK)
		ask.Missing(ctx, t, get(path))
	},
}
