package admin

import (
	"context"
	"fmt"
	"net/http"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches an Admin API that looks at the key after the write, not at all, or
// for some methods only.
var adminBadKey = spec.Case{
	ID: "ADMIN-BAD-KEY", Level: spec.Must, Needs: []spec.Feature{spec.AdminCRUD},
	Title: "Without the right key nothing is read, written or deleted, and the answer is APISIX's 401.",
	Refs:  []string{"APISIX 3.18 Admin API, authentication"},
	After: []string{"ADMIN-ENVELOPE"},
	Run: func(ctx context.Context, t *spec.T) {
		kept, path := "/routes/"+t.Name("kept"), "/routes/"+t.Name("new")
		body := fmt.Sprintf(`{"host":%q,"uri":"/a","upstream":{"type":"roundrobin","nodes":{"192.0.2.1:80":1}}}`, t.Host())
		t.Put(ctx, kept[1:], body)
		t.Track(path[1:])
		for _, c := range []spec.Call{
			{Method: http.MethodGet, Path: kept},
			{Method: http.MethodGet, Path: "/routes"},
			{Method: http.MethodPut, Path: path, Body: body},
			{Method: http.MethodDelete, Path: kept},
		} {
			for key, description := range map[string]string{"": "missing apikey", "wrong-" + t.ID(): "wrong apikey"} {
				c.NoKey, c.Header = true, nil
				if key != "" {
					c.Header = map[string]string{"X-API-KEY": key}
				}
				r := t.Call(ctx, c)
				m := r.JSON()
				t.Check(r.Status == http.StatusUnauthorized && m["error_msg"] == "failed to check token" && m["description"] == description,
					"%s %s with key %q: got %s, want 401 with %q", c.Method, c.Path, key, r, description)
			}
		}
		ask.Answered(ctx, t, spec.Call{Method: http.MethodGet, Path: kept}, http.StatusOK)
		ask.Missing(ctx, t, spec.Call{Method: http.MethodGet, Path: path})
	},
}
