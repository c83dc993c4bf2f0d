package admin

import (
	"context"
	"fmt"
	"net/http"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches an Admin API that deletes an upstream under the routes that use it, or
// never lets go of one that nobody uses any more.
var adminRefInUse = spec.Case{
	ID: "ADMIN-REF-IN-USE", Level: spec.Must, Needs: []spec.Feature{spec.AdminReferences},
	Title: "An upstream or service that somebody uses is not deleted: 400 names the user; when he is gone, or lets go of it, it is.",
	Refs:  []string{"APISIX 3.18 Admin API, reference checks on DELETE"},
	After: []string{"ADMIN-REF-UNKNOWN"},
	Run: func(ctx context.Context, t *spec.T) {
		up, sv, rt := t.Name("u"), t.Name("s"), t.Name("r")
		t.Put(ctx, "upstreams/"+up, `{`+nodes+`}`)
		t.Put(ctx, "services/"+sv, fmt.Sprintf(`{"upstream_id":%q}`, up))
		t.Put(ctx, "routes/"+rt, fmt.Sprintf(`{"host":%q,"uri":"/a","service_id":%q}`, t.Host(), sv))
		// APISIX looks at what it has watched, which may be a moment old: so the
		// deletes come when the objects are in force, and lettings go are waited for.
		t.Wait(ctx)
		inUse := func(kind, id, begins string) {
			ask.Refused(ctx, t, del("/"+kind+"/"+id), http.StatusBadRequest, begins)
			ask.Answered(ctx, t, get("/"+kind+"/"+id), http.StatusOK)
		}
		inUse("services", sv, "can not delete this service directly, route ["+rt+"] is still using it now")
		inUse("upstreams", up, "can not delete this upstream, service ["+sv+"] is still using it now")

		t.Step("the route takes the upstream itself")
		t.Put(ctx, "routes/"+rt, fmt.Sprintf(`{"host":%q,"uri":"/a","upstream_id":%q}`, t.Host(), up))
		t.Wait(ctx)
		letGo(ctx, t, "/services/"+sv)
		inUse("upstreams", up, "can not delete this upstream, route ["+rt+"] is still using it now")

		t.Step("the route goes")
		t.Delete(ctx, "routes/"+rt)
		letGo(ctx, t, "/upstreams/"+up)
	},
}

// letGo deletes what nobody uses any more.
func letGo(ctx context.Context, t *spec.T, path string) {
	ask.Until(ctx, t, "DELETE "+path+", which nobody uses any more", 1, func() bool {
		return t.Call(ctx, del(path)).Status == http.StatusOK
	})
	ask.Missing(ctx, t, get(path))
}
