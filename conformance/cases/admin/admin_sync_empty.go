package admin

import (
	"context"
	"fmt"
	"net/http"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches an Admin API that still sees a user that is gone, so that a client which
// deletes in the right order fails.
var adminSyncEmpty = spec.Case{
	ID: "ADMIN-SYNC-EMPTY", Level: spec.Must, Needs: []spec.Feature{spec.AdminReferences},
	Title: "Ten at a time, users are deleted and right after them what they used; nothing is left.",
	Refs:  []string{"APISIX 3.18 Admin API, clients: ADC"},
	After: []string{"ADMIN-SYNC"},
	Run: func(ctx context.Context, t *spec.T) {
		const n, atOnce = 20, 10
		for i := range n {
			id := t.Name(fmt.Sprint("o", i))
			t.Put(ctx, "upstreams/"+id, `{`+nodes+`}`)
			t.Put(ctx, "services/"+id, fmt.Sprintf(`{"upstream_id":%q}`, id))
			t.Put(ctx, "routes/"+id, fmt.Sprintf(`{"host":%q,"uri":"/%d","service_id":%q}`, t.Host(), i, id))
		}
		for _, kind := range []string{"routes", "services", "upstreams"} {
			atATime(n, atOnce, func(i int) {
				path := "/" + kind + "/" + t.Name(fmt.Sprint("o", i))
				// Clients repeat what is refused; three tries with a pause are what ADC does.
				ask.Within(ctx, t, ask.HealthBound, "DELETE "+path, 1, func() bool {
					r := t.Call(ctx, del(path))
					return r.Status == http.StatusOK || r.Status == http.StatusNotFound
				})
			})
		}
		t.Check(len(dump(ctx, t)) == 0, "left: %v", dump(ctx, t))
	},
}
