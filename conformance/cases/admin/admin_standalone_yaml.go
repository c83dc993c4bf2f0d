package admin

import (
	"context"
	"net/http"
	"strings"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches an API of whole configurations that knows JSON only.
var adminStandaloneYAML = spec.Case{
	ID: "ADMIN-STANDALONE-YAML", Level: spec.Must, Needs: []spec.Feature{spec.AdminStandalone},
	Title: "A whole configuration may be put as YAML, and is given as YAML to who accepts it.",
	Refs:  []string{"APISIX 3.18, standalone API: content types"},
	After: []string{"ADMIN-STANDALONE-SYNC"},
	Run: func(ctx context.Context, t *spec.T) {
		emptied(ctx, t)
		c := replace(t.Render("routes:\n- id: {{.ID}}\n  uri: /yaml\n  host: {{.Host}}\n  plugins: {}\n"))
		c.Header["Content-Type"] = "application/yaml"
		accepted(ctx, t, c)
		config, _, _ := versions(ctx, t)
		want := t.Render(`[{"host":"{{.Host}}","id":"{{.ID}}","plugins":{},"uri":"/yaml"}]`)
		t.Check(text(config["routes"]) == want, "routes are %s, want %s", text(config["routes"]), want)
		g := get(configs)
		g.Header = map[string]string{"Accept": "application/yaml"}
		r := ask.Answered(ctx, t, g, http.StatusOK)
		t.Check(strings.HasPrefix(r.Header.Get("Content-Type"), "application/yaml") && r.JSON() == nil && strings.Contains(string(r.Body), "uri: /yaml"),
			"to who accepts YAML: got %s as %q", r, r.Header.Get("Content-Type"))
	},
}
