package admin

import (
	"context"
	"fmt"
	"net/http"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches an Admin API in which an operator who knows what he does must delete
// everything in the one right order.
var adminRefForce = spec.Case{
	ID: "ADMIN-REF-FORCE", Level: spec.Must, Needs: []spec.Feature{spec.AdminReferences},
	Title: "DELETE with force=true deletes an upstream or service that is in use and leaves its users; any other value of force does not.",
	Refs:  []string{"APISIX 3.18 Admin API, reference checks on DELETE: force"},
	After: []string{"ADMIN-REF-IN-USE"},
	Run: func(ctx context.Context, t *spec.T) {
		up, sv, rt := t.Name("u"), t.Name("s"), t.Name("r")
		t.Put(ctx, "upstreams/"+up, `{`+nodes+`}`)
		t.Put(ctx, "services/"+sv, `{"upstream":{`+nodes+`}}`)
		t.Put(ctx, "routes/"+rt, fmt.Sprintf(`{"host":%q,"uri":"/a","service_id":%q,"upstream_id":%q}`, t.Host(), sv, up))
		t.Wait(ctx)
		for _, path := range []string{"/upstreams/" + up, "/services/" + sv} {
			for _, other := range []string{"?force=false", "?force=", "?force=1"} {
				ask.Refused(ctx, t, del(path+other), http.StatusBadRequest, "can not delete this ")
			}
			ask.Answered(ctx, t, del(path+"?force=true"), http.StatusOK)
			ask.Missing(ctx, t, get(path))
			ask.Missing(ctx, t, del(path+"?force=true"))
		}
		t.Check(stored(ctx, t, "/routes/"+rt)["upstream_id"] == up, "the route changed when its upstream was deleted")
	},
}
