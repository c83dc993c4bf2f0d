package admin

import (
	"context"

	"github.com/unilb/unilb/conformance/spec"
)

// Catches an Admin API that stores a limit which is none, or refuses to keep one that
// is switched off.
var adminPluginConfiguration = spec.Case{
	ID: "ADMIN-PLUGIN-CONFIGURATION", Level: spec.Must, Needs: []spec.Feature{spec.AdminKinds},
	Title: "A plugin's configuration is checked, in a route and in a consumer as what it is there; one that is switched off may be anything.",
	Refs:  []string{"APISIX 3.18 Admin API, validation messages"},
	After: []string{"ADMIN-PLUGIN-UNKNOWN"},
	Run: func(ctx context.Context, t *spec.T) {
		path := "/routes/" + t.Name("r")
		const begins = "failed to check the configuration of plugin key-auth err: "
		refusedWith(ctx, t,
			no{put(path, `{"uri":"/a","plugins":{"key-auth":{"header":1}}}`), begins + `property "header" validation failed: wrong type: expected string, got number`},
			no{put("/consumers", `{"username":"`+t.Name("u")+`","plugins":{"key-auth":{}}}`), "invalid plugins configuration: " + begins + `property "key" is required`},
		)
		t.Put(ctx, path[1:], `{"uri":"/a","host":"`+t.Host()+`","plugins":{"key-auth":{"header":1,"_meta":{"disable":true}}}}`)
		got := in(stored(ctx, t, path), "plugins", "key-auth", "header")
		t.Check(text(got) == "1", "a plugin that is switched off: got %v, want it as it was put", got)
	},
}
