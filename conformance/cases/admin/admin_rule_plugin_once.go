package admin

import (
	"context"

	"github.com/unilb/unilb/conformance/spec"
)

// Catches an Admin API that takes a plugin into two global rules, of which data planes
// then run neither.
var adminRulePluginOnce = spec.Case{
	ID: "ADMIN-RULE-PLUGIN-ONCE", Level: spec.Must, Needs: []spec.Feature{spec.AdminKinds},
	Title: "A plugin is in one global rule only; the rule that has it may be written again.",
	Refs:  []string{"APISIX 3.18 Admin API, validation messages: global_rule"},
	After: []string{"ADMIN-KINDS"},
	Run: func(ctx context.Context, t *spec.T) {
		one, two := t.Name("one"), t.Name("two")
		const plugins = `{"plugins":{"gzip":{"_meta":{"disable":true}}}}`
		t.Put(ctx, "global_rules/"+one, plugins)
		t.Put(ctx, "global_rules/"+one, plugins)
		t.Wait(ctx)
		refusedWith(ctx, t,
			no{put("/global_rules/"+two, plugins), "plugin 'gzip' already exists in global rule with id '" + one + "'"},
			no{put("/global_rules/"+two, `{}`), `invalid configuration: property "plugins" is required`},
		)
		t.Delete(ctx, "global_rules/"+one)
		t.Wait(ctx)
		t.Put(ctx, "global_rules/"+two, plugins)
	},
}
