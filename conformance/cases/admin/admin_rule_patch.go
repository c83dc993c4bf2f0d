package admin

import (
	"context"
	"net/http"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches an Admin API that knows PATCH for routes and forgets the rules that hold for
// all of them.
var adminRulePatch = spec.Case{
	ID: "ADMIN-RULE-PATCH", Level: spec.Must, Needs: []spec.Feature{spec.AdminKinds},
	Title: "Global rules, plugin configs and consumer groups can be patched like routes.",
	Refs:  []string{"APISIX 3.18 Admin API, PATCH"},
	After: []string{"ADMIN-KINDS"},
	Run: func(ctx context.Context, t *spec.T) {
		for _, kind := range []string{"global_rules", "plugin_configs", "consumer_groups"} {
			path := "/" + kind + "/" + t.Name("p")
			t.Put(ctx, path[1:], `{"plugins":{"brotli":{"_meta":{"disable":true},"comp_level":3,"types":["a/b"]}}}`)
			v := valueOf(t, ask.Answered(ctx, t, patch(path, `{"plugins":{"brotli":{"comp_level":4,"types":null}}}`), http.StatusOK))
			t.Check(text(in(v, "plugins", "brotli")) == `{"_meta":{"disable":true},"comp_level":4}`, "PATCH %s: got %s", path, text(v))
			v = valueOf(t, ask.Answered(ctx, t, patch(path+"/plugins/brotli/comp_level", `5`), http.StatusOK))
			t.Check(text(in(v, "plugins", "brotli", "comp_level")) == "5", "PATCH of a part of %s: got %s", path, text(v))
			t.Check(text(stored(ctx, t, path)) == text(v), "GET %s differs from what PATCH answered", path)
		}
	},
}
