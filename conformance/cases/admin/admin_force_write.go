package admin

import (
	"context"
	"fmt"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches an Admin API in which ?force=true lets a route refer to nothing.
var adminForceWrite = spec.Case{
	ID: "ADMIN-FORCE-WRITE", Level: spec.Must, Needs: []spec.Feature{spec.AdminReferences},
	Title: "force is for deletes: a write with it is refused all the same when what it refers to is not there.",
	Refs:  []string{"APISIX 3.18 Admin API, reference checks"},
	After: []string{"ADMIN-REF-FORCE"},
	Run: func(ctx context.Context, t *spec.T) {
		none := t.Name("none")
		refusedWith(ctx, t, no{put("/routes/"+t.Name("r")+"?force=true", fmt.Sprintf(`{"host":%q,"uri":"/a","upstream_id":%q}`, t.Host(), none)),
			"failed to fetch upstream info by upstream id [" + none + "], response code: 404"})
		ask.Missing(ctx, t, get("/routes/"+t.Name("r")))
	},
}
