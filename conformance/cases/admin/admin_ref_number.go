package admin

import (
	"context"
	"fmt"

	"github.com/unilb/unilb/conformance/spec"
)

// Catches an Admin API that finds an upstream by the text of its id only, and lets it
// be deleted from under a route that has it as a number.
var adminRefNumber = spec.Case{
	ID: "ADMIN-REF-NUMBER", Level: spec.Must, Needs: []spec.Feature{spec.AdminReferences},
	Title: "A reference may be a number: it finds the object of that id, and holds it.",
	Refs:  []string{"APISIX 3.18 Admin API, id rules"},
	After: []string{"ADMIN-REF-IN-USE"},
	Run: func(ctx context.Context, t *spec.T) {
		id := fmt.Sprint(1_000_000 + hash(t.ID())%1_000_000)
		t.Put(ctx, "upstreams/"+id, `{`+nodes+`}`)
		t.Put(ctx, "routes/"+t.Name("r"), fmt.Sprintf(`{"host":%q,"uri":"/a","upstream_id":%s}`, t.Host(), id))
		t.Wait(ctx)
		refusedWith(ctx, t, no{del("/upstreams/" + id), "can not delete this upstream, route [" + t.Name("r") + "] is still using it now"})
		refusedWith(ctx, t, no{put("/routes/"+t.Name("r2"), `{"uri":"/a","upstream_id":99999999}`), "failed to fetch upstream info by upstream id [99999999], response code: 404"})
	},
}
