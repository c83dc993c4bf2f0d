package admin

import (
	"context"
	"net/http"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches an Admin API in which a patch leaves update_time as it was, or does not let
// a client that restores objects set it.
var adminPatchTimes = spec.Case{
	ID: "ADMIN-PATCH-TIMES", Level: spec.Must, Needs: []spec.Feature{spec.AdminPatch},
	Title: "PATCH refreshes update_time, keeps create_time, and sets either when the change holds it.",
	Refs:  []string{"APISIX 3.18 Admin API, timestamps"},
	After: []string{"ADMIN-PATCH-MERGE"},
	Run: func(ctx context.Context, t *spec.T) {
		path := "/routes/" + t.Name("r")
		t.Put(ctx, path[1:], route(t, ""))
		v := valueOf(t, ask.Answered(ctx, t, patch(path, `{"create_time":1000000000,"update_time":1000000001}`), http.StatusOK))
		t.Check(text(v["create_time"]) == "1000000000" && text(v["update_time"]) == "1000000001", "PATCH that sets them: got %s", text(v))
		v = valueOf(t, ask.Answered(ctx, t, patch(path, `{"desc":"x"}`), http.StatusOK))
		t.Check(text(v["create_time"]) == "1000000000" && isInt(v["update_time"]) && text(v["update_time"]) != "1000000001", "PATCH of something else: got %s", text(v))
	},
}
