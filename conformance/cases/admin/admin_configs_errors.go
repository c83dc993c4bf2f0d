package admin

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches an Admin API that stops at the first thing that is wrong, or does not say in
// which object it is.
var adminConfigsErrors = spec.Case{
	ID: "ADMIN-CONFIGS-ERRORS", Level: spec.Must, Needs: []spec.Feature{spec.AdminConfigs},
	Title: "All that is wrong with a configuration is listed, each with the kind, the id and the place of its object, counted from 0.",
	Refs:  []string{"APISIX 3.18 Admin API, whole-config validation"},
	After: []string{"ADMIN-CONFIGS-VALID"},
	Run: func(ctx context.Context, t *spec.T) {
		got := configErrors(ctx, t, `{"routes":[{"id":"a","uri":"/a","plugins":{}},{"id":"b","uri":7,"plugins":{}},{"id":"c","uri":"/a","plugins":{"key-oauth":{}}}],"upstreams":[{"id":"d","nodes":{"192.0.2.1:65536":1}}]}`)
		want := []string{
			`routes|b|1|invalid configuration: property "uri" validation failed: wrong type: expected string, got number`,
			"routes|c|2|unknown plugin [key-oauth]", "upstreams|d|0|invalid port 65536",
		}
		t.Check(slices.Equal(got, want), "got %q, want %q", got, want)
	},
}

// configErrors are the errors of a configuration that is refused.
func configErrors(ctx context.Context, t *spec.T, body string) []string {
	r := ask.Answered(ctx, t, post("/configs/validate", body), http.StatusBadRequest)
	t.Check(r.JSON()["error_msg"] == "Configuration validation failed", "got %s, want \"Configuration validation failed\"", r)
	list, _ := r.JSON()["errors"].([]any)
	var out []string
	for _, e := range list {
		out = append(out, strings.Join([]string{show(in(e, "resource_type")), show(in(e, "resource_id")), show(in(e, "index")), show(in(e, "error"))}, "|"))
	}
	slices.Sort(out)
	return out
}

func show(v any) string {
	if v == nil {
		return ""
	}
	return fmt.Sprint(v)
}
