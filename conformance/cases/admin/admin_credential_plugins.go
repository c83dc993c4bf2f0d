package admin

import (
	"context"
	"net/http"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches an Admin API that takes a limit for a credential, which then limits nobody.
var adminCredentialPlugins = spec.Case{
	ID: "ADMIN-CREDENTIAL-PLUGINS", Level: spec.Must, Needs: []spec.Feature{spec.AdminCredentials},
	Title: "A credential holds one plugin at most, and that finds out who asks.",
	Refs:  []string{"APISIX 3.18 Admin API, resources: credentials"},
	After: []string{"ADMIN-CREDENTIAL"},
	Run: func(ctx context.Context, t *spec.T) {
		user := t.Name("jack")
		t.Put(ctx, "consumers/"+user, `{"username":"`+user+`"}`)
		path := "/consumers/" + user + "/credentials/c"
		refusedWith(ctx, t,
			no{put(path, `{"plugins":{"key-auth":{"key":"a"},"basic-auth":{"username":"a","password":"b"}}}`), `invalid configuration: property "plugins" validation failed: expect object to have at most 1 properties`},
			no{put(path, `{"plugins":{"proxy-control":{}}}`), "only supports auth type plugins in consumer credential"},
			no{put(path, `{"plugins":{"key-oauth":{}}}`), "invalid plugins configuration: unknown plugin [key-oauth]"},
			no{put("/consumers/"+user+"/credentials", `{}`), "missing credential id"},
			no{put(path, `{"id":"d"}`), "wrong credential id"},
		)
		for _, method := range []string{http.MethodPost, http.MethodPatch} {
			ask.Refused(ctx, t, spec.Call{Method: method, Path: path, Body: `{}`}, http.StatusMethodNotAllowed, "not supported `"+method+"` method for credential")
		}
		ask.Missing(ctx, t, get(path))
	},
}
