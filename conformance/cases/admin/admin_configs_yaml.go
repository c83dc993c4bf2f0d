package admin

import (
	"context"
	"net/http"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches an Admin API that reads configurations in JSON only, which nobody writes by
// hand.
var adminConfigsYaml = spec.Case{
	ID: "ADMIN-CONFIGS-YAML", Level: spec.Must, Needs: []spec.Feature{spec.AdminConfigs},
	Title: "A configuration in YAML is checked as the same one in JSON is.",
	Refs:  []string{"APISIX 3.18 Admin API, whole-config validation"},
	After: []string{"ADMIN-CONFIGS-ERRORS"},
	Run: func(ctx context.Context, t *spec.T) {
		as := func(body string) spec.Call {
			return spec.Call{Method: http.MethodPost, Path: "/configs/validate", Body: body, Header: map[string]string{"Content-Type": "application/yaml"}}
		}
		ask.Answered(ctx, t, as("routes:\n  - id: a\n    uri: /a\n    priority: 10\n    plugins: {}\n"), http.StatusOK)
		r := ask.Answered(ctx, t, as("routes:\n  - id: a\n    uri: 7\n    plugins: {}\n"), http.StatusBadRequest)
		t.Check(r.JSON()["error_msg"] == "Configuration validation failed", "got %s", r)
	},
}
