package admin

import (
	"context"
	"net/http"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches an API of whole configurations that takes what is wrong, or a part of it.
var adminStandaloneRefused = spec.Case{
	ID: "ADMIN-STANDALONE-REFUSED", Level: spec.Must, Needs: []spec.Feature{spec.AdminStandalone},
	Title: "A configuration without digest, or with one wrong object, is refused in APISIX's words, and nothing of it comes into force.",
	Refs:  []string{"APISIX 3.18, standalone API"},
	After: []string{"ADMIN-STANDALONE-SYNC"},
	Run: func(ctx context.Context, t *spec.T) {
		emptied(ctx, t)
		accepted(ctx, t, replace(t.Render(`{"routes":[{"id":"{{.ID}}","uri":"/","host":"{{.Host}}","plugins":{}}]}`)))
		before, _, _ := versions(ctx, t)
		good := t.Render(`{"id":"{{.ID}}-new","uri":"/new","host":"{{.Host}}","plugins":{}}`)
		refusedWith(ctx, t,
			no{put(configs, `{}`), "missing digest header"},
			no{put(configs, ``), "missing digest header"},
			no{replaceAs("x", ``), "invalid request body: empty request body"},
			no{replaceAs("x", `{"routes_conf_version":"1"}`), "routes_conf_version must be a number"},
			no{replaceAs("x", `{"routes":[`+good+`,{"id":"b","uri":1,"plugins":{}}]}`), `invalid configuration: property "uri" validation failed: wrong type: expected string, got number`},
			no{replaceAs("x", `{"routes":[`+good+`,`+good+`]}`), "found duplicate id " + t.Render("{{.ID}}-new") + " in routes"},
			no{replaceAs("x", `{"routes":[`+good+`,{"id":"b","uri":"/","plugins":{"no-such":{}}}]}`), "unknown plugin [no-such]"},
		)
		ask.Refused(ctx, t, replaceAs("x", `{"routes":`), http.StatusBadRequest, "invalid request body: ")
		after, _, _ := versions(ctx, t)
		t.Check(text(before) == text(after), "what was refused has changed the configuration from %s to %s", text(before), text(after))
	},
}
