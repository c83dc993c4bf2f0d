package admin

import (
	"context"
	"net/http"
	"strings"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches an Admin API that looks into a body before it knows who sent it, or says the
// second thing that is wrong.
var adminOrder = spec.Case{
	ID: "ADMIN-ORDER", Level: spec.Must, Needs: []spec.Feature{spec.AdminCRUD},
	Title: "Of several things that are wrong the first in APISIX's order is said: key, kind, body, ttl, method, id, object, what it refers to.",
	Refs:  []string{"APISIX 3.18 Admin API, order of the checks on a write"},
	After: []string{"ADMIN-BAD-BODY"},
	Run: func(ctx context.Context, t *spec.T) {
		long := strings.Repeat("x", 65)
		wrongKey := spec.Call{Method: http.MethodPut, Path: "/no-such-kind/1", Body: "{", NoKey: true, Header: map[string]string{"X-API-KEY": "wrong-" + t.ID()}}
		r := t.Call(ctx, wrongKey)
		t.Check(r.Status == http.StatusUnauthorized, "a wrong key, an unknown kind and no JSON: got %s, want 401", r)
		for _, c := range []struct {
			call   spec.Call
			status int
			msg    string
		}{
			{put("/no-such-kind/1?ttl=x", `{`), http.StatusNotFound, "Unsupported resource type: no-such-kind"},
			{put("/routes/"+long+"?ttl=x", `{`), http.StatusBadRequest, "invalid request body: "},
			{put("/routes/"+long+"?ttl=x", `{"id":"y"}`), http.StatusBadRequest, "invalid argument ttl: should be a number"},
			{put("/routes/"+t.Name("r"), `{"id":"y","uri":7,"upstream_id":"none"}`), http.StatusBadRequest, "wrong route id"},
			{put("/routes/"+t.Name("r"), `{"create_time":1,"uri":7}`), http.StatusBadRequest, "the property is forbidden:  create_time"},
			{put("/routes/"+t.Name("r"), `{"uri":"/a","no_such":1,"upstream_id":"`+t.Name("none")+`"}`), http.StatusBadRequest, "invalid configuration: "},
		} {
			ask.Refused(ctx, t, c.call, c.status, c.msg)
		}
		ask.Missing(ctx, t, get("/routes/"+t.Name("r")))
	},
}
