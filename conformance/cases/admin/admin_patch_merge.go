package admin

import (
	"context"
	"fmt"
	"net/http"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a PATCH that replaces the object, joins arrays, stores null where it
// means "remove", or answers what it was sent instead of what is stored.
var adminPatchMerge = spec.Case{
	ID: "ADMIN-PATCH-MERGE", Level: spec.Must, Needs: []spec.Feature{spec.AdminPatch},
	Title: "PATCH merges objects member by member, replaces arrays and scalars, removes what is null, and leaves all else as it was.",
	Refs:  []string{"APISIX 3.18 Admin API, PATCH", "RFC 7396 2"},
	After: []string{"ADMIN-ENVELOPE"},
	Run: func(ctx context.Context, t *spec.T) {
		id := t.Name("r")
		path := "/routes/" + id
		r := t.Put(ctx, path[1:], fmt.Sprintf(
			`{"host":%q,"uri":"/a","desc":"old","methods":["GET","PUT"],"labels":{"a":"1","b":"2"},"upstream":{"type":"roundrobin","nodes":{"192.0.2.1:80":1,"192.0.2.2:80":2},"retries":1}}`, t.Host()))
		before := valueOf(t, r)
		r = ask.Answered(ctx, t, patch(path, `{"desc":"new","methods":["POST"],"priority":5,"labels":{"b":null,"c":"3"},"upstream":{"nodes":{"192.0.2.1:80":7,"192.0.2.2:80":null},"retries":null}}`), http.StatusOK)
		answered := envelope(t, r, id, false)
		got := envelope(t, ask.Answered(ctx, t, get(path), http.StatusOK), id, true)
		for name, want := range map[string]string{
			"desc": `"new"`, "methods": `["POST"]`, "priority": `5`, "labels": `{"a":"1","c":"3"}`,
			"upstream": `{"nodes":{"192.0.2.1:80":7},"type":"roundrobin"}`,
			"host":     text(t.Host()), "uri": `"/a"`, "create_time": text(before["create_time"]),
		} {
			t.Check(text(got[name]) == want, "%s is %s after PATCH, want %s", name, text(got[name]), want)
			t.Check(text(answered[name]) == want, "the answer to PATCH has %s %s, want %s", name, text(answered[name]), want)
		}
		r = ask.Answered(ctx, t, patch(path, `{"desc":null}`), http.StatusOK)
		_, there := valueOf(t, r)["desc"]
		_, stays := stored(ctx, t, path)["desc"]
		t.Check(!there && !stays, "desc is still there after PATCH with null: %s", r)
	},
}
