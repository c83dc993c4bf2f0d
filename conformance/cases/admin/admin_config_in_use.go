package admin

import (
	"context"
	"fmt"
	"net/http"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches an Admin API that deletes plugins from under the routes that rely on them.
var adminConfigInUse = spec.Case{
	ID: "ADMIN-CONFIG-IN-USE", Level: spec.Must, Needs: []spec.Feature{spec.AdminKinds},
	Title: "A route's plugin config must exist, and is not deleted while the route uses it.",
	Refs:  []string{"APISIX 3.18 Admin API, reference checks"},
	After: []string{"ADMIN-KINDS"},
	Run: func(ctx context.Context, t *spec.T) {
		config, rt := t.Name("c"), t.Name("r")
		body := fmt.Sprintf(`{"host":%q,"uri":"/a","plugin_config_id":%q,"upstream":{%s}}`, t.Host(), config, nodes)
		refusedWith(ctx, t, no{put("/routes/"+rt, body), "failed to fetch plugin config info by plugin config id [" + config + "], response code: 404"})
		t.Put(ctx, "plugin_configs/"+config, `{`+off+`}`)
		t.Track("routes/" + rt)
		ask.Answered(ctx, t, put("/routes/"+rt, body), http.StatusCreated)
		ask.Within(ctx, t, ask.HealthBound, "DELETE of a plugin config in use", 1, func() bool { return t.Call(ctx, del("/plugin_configs/"+config)).Status == http.StatusBadRequest })
		refusedWith(ctx, t, no{del("/plugin_configs/" + config), "can not delete this plugin config, route [" + rt + "] is still using it now"})
		t.Delete(ctx, "routes/"+rt)
		letGo(ctx, t, "/plugin_configs/"+config)
	},
}
