package admin

import (
	"context"
	"net/http"
	"strings"

	"github.com/unilb/unilb/conformance/spec"
)

// Catches an API of whole configurations that takes a slip of the pen for an empty
// section, as APISIX does, and deletes all objects of the one that was meant.
var adminStandaloneUnknown = spec.Case{
	ID: "ADMIN-STANDALONE-UNKNOWN", Level: spec.Should, Needs: []spec.Feature{spec.AdminStandalone},
	Title: "A configuration with a section that nobody knows is refused by the name of that section, and nothing is emptied.",
	Refs:  []string{"docs/admin.md, whole configurations"},
	After: []string{"ADMIN-STANDALONE-SYNC"},
	Run: func(ctx context.Context, t *spec.T) {
		emptied(ctx, t)
		accepted(ctx, t, replace(t.Render(`{"upstreams":[{"id":"{{.ID}}","nodes":[]}]}`)))
		before, _, _ := versions(ctx, t)
		r := t.Call(ctx, replaceAs(t.Name("slip"), t.Render(`{"upstream":[{"id":"{{.ID}}","nodes":[]}]}`)))
		t.Check(r.Status == http.StatusBadRequest && strings.Contains(text(r.JSON()["error_msg"]), "[upstream]"), "section upstream: got %s, want 400 with its name", r)
		after, _, _ := versions(ctx, t)
		t.Check(text(before) == text(after), "what was meant for upstreams has changed the configuration from %s to %s", text(before), text(after))
	},
}
