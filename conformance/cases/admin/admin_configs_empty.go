package admin

import (
	"context"
	"net/http"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches an Admin API that finds nothing wrong with nothing at all.
var adminConfigsEmpty = spec.Case{
	ID: "ADMIN-CONFIGS-EMPTY", Level: spec.Must, Needs: []spec.Feature{spec.AdminConfigs},
	Title: "A body of nothing is refused, and so is a version that is no number; only POST is answered.",
	Refs:  []string{"APISIX 3.18 Admin API, whole-config validation"},
	After: []string{"ADMIN-CONFIGS-ERRORS"},
	Run: func(ctx context.Context, t *spec.T) {
		refusedWith(ctx, t, no{post("/configs/validate", ""), "invalid request body: empty request body"})
		got := configErrors(ctx, t, `{"routes":[],"routes_conf_version":"3"}`)
		t.Check(len(got) == 1 && got[0] == "routes|||routes_conf_version must be a number, got string", "got %q", got)
		got = configErrors(ctx, t, `{"secrets":[{"id":"1"}]}`)
		t.Check(len(got) == 1 && got[0] == "secrets|1|0|invalid secret id: 1", "got %q", got)
		ask.Refused(ctx, t, put("/configs/validate", `{}`), http.StatusNotFound, "")
	},
}
