package admin

import (
	"context"
	"net/http"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches an Admin API that lets two objects say different things of one counter: which
// limit holds then depends on which request came first.
var adminLimitGroup = spec.Case{
	ID: "ADMIN-LIMIT-GROUP", Level: spec.Must, Needs: []spec.Feature{spec.AdminPlugins},
	Title: "Objects that share a group of limit-count say the same of it, defaults filled in, or are refused; what is switched off says nothing.",
	Refs:  []string{"APISIX 3.18, limit-count: group conf mismatched"},
	After: []string{"ADMIN-PLUGIN-CONFIGURATION"},
	Run: func(ctx context.Context, t *spec.T) {
		limit := func(more string) string {
			return `{"uri":"/a","host":"` + t.Host() + `","plugins":{"limit-count":{"time_window":60,"group":"` + t.Name("g") + `",` + more + `}}}`
		}
		at := func(name string) string {
			t.Track("routes/" + t.Name(name))
			return "/routes/" + t.Name(name)
		}
		const mismatch = "failed to check the configuration of plugin limit-count err: group conf mismatched"
		ask.Answered(ctx, t, put(at("a"), limit(`"count":2`)), http.StatusCreated)
		refusedWith(ctx, t, no{put(at("b"), limit(`"count":3`)), mismatch}, no{post("/routes", limit(`"count":3`)), mismatch})
		ask.Missing(ctx, t, get(at("b")))
		ask.Answered(ctx, t, put(at("c"), limit(`"count":3,"_meta":{"disable":true}`)), http.StatusCreated)
		ask.Answered(ctx, t, put(at("d"), limit(`"count":2,"rejected_code":503,"policy":"local"`)), http.StatusCreated)
		refusedWith(ctx, t, no{put(at("d"), limit(`"count":2,"rejected_code":429`)), mismatch})
	},
}
