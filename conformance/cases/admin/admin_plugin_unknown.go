package admin

import (
	"context"

	"github.com/unilb/unilb/conformance/spec"
)

// Catches an Admin API that stores a plugin nobody has, so that a misspelt guard lets
// everybody in.
var adminPluginUnknown = spec.Case{
	ID: "ADMIN-PLUGIN-UNKNOWN", Level: spec.Must, Needs: []spec.Feature{spec.AdminKinds},
	Title: "A plugin that does not exist is refused by its name wherever plugins can be; so is a configuration that is no object.",
	Refs:  []string{"APISIX 3.18 Admin API, validation messages"},
	After: []string{"ADMIN-KINDS"},
	Run: func(ctx context.Context, t *spec.T) {
		for path, body := range map[string]string{
			"/routes/" + t.Name("r"): `{"uri":"/a","plugins":{"key-oauth":{}}}`, "/services/" + t.Name("s"): `{"plugins":{"key-oauth":{}}}`,
			"/plugin_configs/" + t.Name("c"): `{"plugins":{"key-oauth":{}}}`, "/consumer_groups/" + t.Name("g"): `{"plugins":{"key-oauth":{}}}`,
			"/global_rules/" + t.Name("g"): `{"plugins":{"key-oauth":{}}}`,
		} {
			refusedWith(ctx, t, no{put(path, body), "unknown plugin [key-oauth]"})
		}
		refusedWith(ctx, t,
			no{put("/routes/"+t.Name("r"), `{"uri":"/a","plugins":{"key-auth":"x"}}`), `invalid plugin conf "x" for plugin [key-auth]`},
			no{put("/consumers", `{"username":"`+t.Name("u")+`","plugins":{"key-oauth":{}}}`), "invalid plugins configuration: unknown plugin [key-oauth]"},
		)
	},
}
