package admin

import (
	"context"
	"net/http"
	"strings"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches an Admin API that cannot look at a whole configuration before it is written,
// or writes it.
var adminConfigsValid = spec.Case{
	ID: "ADMIN-CONFIGS-VALID", Level: spec.Must, Needs: []spec.Feature{spec.AdminConfigs},
	Title: "A configuration of all kinds that is right is 200 with {}, though nothing of what it refers to is there; it is not stored.",
	Refs:  []string{"APISIX 3.18 Admin API, whole-config validation"},
	After: []string{"ADMIN-SCHEMA-VALIDATE"},
	Run: func(ctx context.Context, t *spec.T) {
		id := t.Name("c")
		body := `{"routes":[{"id":"` + id + `","uri":"/a","upstream_id":"` + id + `-none"}],"services":[{"id":"` + id + `"}],"upstreams":[{"id":"` + id + `",` + nodes + `}],
			"consumers":[{"username":"` + id + `"},{"id":"` + id + `/credentials/c","plugins":{"key-auth":{"key":"k"}}}],"global_rules":[{"id":"` + id + `","plugins":{}}],
			"plugin_configs":[{"id":"` + id + `","plugins":{}}],"consumer_groups":[{"id":"` + id + `","plugins":{}}],"plugin_metadata":[{"id":"http-logger"}],"routes_conf_version":3}`
		r := ask.Answered(ctx, t, post("/configs/validate", body), http.StatusOK)
		t.Check(strings.TrimSpace(string(r.Body)) == "{}", "got %s, want {}", r)
		ask.Missing(ctx, t, get("/routes/"+id))
		ask.Missing(ctx, t, get("/upstreams/"+id))
		ask.Answered(ctx, t, post("/configs/validate", `{}`), http.StatusOK)
	},
}
