package admin

import (
	"context"
	"fmt"
	"net/http"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches an Admin API that stores what it cannot understand, drops unknown
// fields in silence, lets the body rename the object, or replaces the old
// object before it has looked at the new one.
var adminBadBody = spec.Case{
	ID: "ADMIN-BAD-BODY", Level: spec.Must, Needs: []spec.Feature{spec.AdminCRUD},
	Title: "A body that is not a valid object is refused with 400 and a reason, and the object that was there stays.",
	Refs:  []string{"APISIX 3.18 Admin API, early errors, id rules, timestamps and validation"},
	After: []string{"ADMIN-ENVELOPE"},
	Run: func(ctx context.Context, t *spec.T) {
		path := "/routes/" + t.Name("r")
		upstream := `"upstream":{"type":"roundrobin","nodes":{"192.0.2.1:80":1}}`
		t.Put(ctx, path[1:], fmt.Sprintf(`{"host":%q,"uri":"/good",%s}`, t.Host(), upstream))
		for _, c := range []struct{ body, begins string }{
			{"", "missing configurations"},
			{"{", "invalid request body: "},
			{"not json", "invalid request body: "},
			{`{"id":"another","uri":"/a",` + upstream + `}`, "wrong route id"},
			{`{"uri":"/a","create_time":1,` + upstream + `}`, "the property is forbidden:  create_time"},
			{`{"uri":7,` + upstream + `}`, ""},
			{`{` + upstream + `}`, ""},
			{`{"uri":"/a"}`, ""},
			{`{"uri":"/a","no_such_field":1,` + upstream + `}`, ""},
			{`{"uri":"/a","methods":["FETCH"],` + upstream + `}`, ""},
			{`{"uri":"/a","host":"a.example","hosts":["b.example"],` + upstream + `}`, ""},
			{`{"uri":"/a","upstream":{"type":"roundrobin","nodes":{"192.0.2.1:80":-1}}}`, ""},
			{`{"uri":"/a","upstream":{"type":"roundrobin","nodes":[{"host":"192.0.2.1","weight":1,"port":70000}]}}`, ""},
		} {
			ask.Refused(ctx, t, spec.Call{Method: http.MethodPut, Path: path, Body: c.body}, http.StatusBadRequest, c.begins)
		}
		ask.Refused(ctx, t, spec.Call{Method: http.MethodPut, Path: "/routes/bad%20id", Body: `{"uri":"/a",` + upstream + `}`}, http.StatusBadRequest, "")
		r := ask.Answered(ctx, t, spec.Call{Method: http.MethodGet, Path: path}, http.StatusOK)
		t.Check(envelope(t, r, t.Name("r"), true)["uri"] == "/good", "the object that was there is gone: %s", r)
	},
}
