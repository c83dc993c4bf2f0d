package admin

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches an Admin API that ignores If-Match, so that of two writers who read
// the same object the slower one silently undoes the other's change.
var adminIfMatch = spec.Case{
	ID: "ADMIN-IF-MATCH", Level: spec.Must, Needs: []spec.Feature{spec.AdminIfMatch},
	Title: "A write with If-Match happens only when the object has that revision (0: when there is none), else it is refused with 412.",
	Refs:  []string{"docs/wire.md 2"},
	After: []string{"ADMIN-ENVELOPE"},
	Run: func(ctx context.Context, t *spec.T) {
		id := t.Name("r")
		path := "/routes/" + id
		t.Track(path[1:])
		put := func(uri, rev string) spec.Call {
			return spec.Call{Method: http.MethodPut, Path: path, Header: map[string]string{"If-Match": rev},
				Body: fmt.Sprintf(`{"host":%q,"uri":%q,"upstream":{"type":"roundrobin","nodes":{"192.0.2.1:80":1}}}`, t.Host(), uri)}
		}
		modified := func(uri string) string {
			r := ask.Answered(ctx, t, spec.Call{Method: http.MethodGet, Path: path}, http.StatusOK)
			t.Check(envelope(t, r, id, true)["uri"] == uri, "stored %s, want uri %s", r, uri)
			n, _ := r.JSON()["modifiedIndex"].(json.Number)
			return n.String()
		}
		ask.Refused(ctx, t, put("/a", "12345"), http.StatusPreconditionFailed, "")
		ask.Missing(ctx, t, spec.Call{Method: http.MethodGet, Path: path})
		ask.Answered(ctx, t, put("/a", "0"), http.StatusCreated)
		ask.Refused(ctx, t, put("/b", "0"), http.StatusPreconditionFailed, "")
		first := modified("/a")

		r := ask.Answered(ctx, t, put("/c", first), http.StatusOK)
		t.Check(r.Revision != 0, "the answer to a write has no %s", spec.RevisionHeader)
		ask.Refused(ctx, t, put("/d", first), http.StatusPreconditionFailed, "")
		second := modified("/c")
		t.Check(second == fmt.Sprint(r.Revision), "modifiedIndex is %s, and the write said %s %d", second, spec.RevisionHeader, r.Revision)

		del := func(rev string) spec.Call {
			return spec.Call{Method: http.MethodDelete, Path: path, Header: map[string]string{"If-Match": rev}}
		}
		ask.Refused(ctx, t, del(first), http.StatusPreconditionFailed, "")
		modified("/c")
		ask.Answered(ctx, t, del(second), http.StatusOK)
		ask.Missing(ctx, t, spec.Call{Method: http.MethodGet, Path: path})
	},
}
