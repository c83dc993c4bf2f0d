package admin

import (
	"context"
	"net/http"
	"strings"

	"github.com/unilb/unilb/conformance/spec"
)

// Catches an Admin API from whose answers clients do not learn what it can do, so that
// they leave half of it unused.
var adminVersion = spec.Case{
	ID: "ADMIN-VERSION", Level: spec.Must, Needs: []spec.Feature{spec.AdminCRUD},
	Title: "Every answer, also a refusal, names APISIX and a version in Server; answers of kinds of objects say v3 in X-API-VERSION, early refusals do not.",
	Refs:  []string{"APISIX 3.18 Admin API, transport", "APISIX 3.18 Admin API, clients: ADC"},
	After: []string{"ADMIN-ENVELOPE"},
	Run: func(ctx context.Context, t *spec.T) {
		for _, c := range []struct {
			call  spec.Call
			early bool
		}{
			{get("/routes"), false}, {get("/routes/" + t.Name("none")), false}, {put("/routes/"+t.Name("r"), `{"uri":7}`), false},
			{get("/no-such-kind"), true}, {put("/routes/"+t.Name("r"), `{`), true}, {spec.Call{Method: http.MethodGet, Path: "/routes", NoKey: true}, true},
		} {
			r := t.Call(ctx, c.call)
			_, version, ok := strings.Cut(r.Header.Get("Server"), "APISIX/")
			t.Check(ok && version != "" && version[0] >= '0' && version[0] <= '9', "%s %s: Server is %q, want APISIX/ and a version", c.call.Method, c.call.Path, r.Header.Get("Server"))
			said := r.Header.Get("X-API-VERSION")
			t.Check(c.early && said == "" || !c.early && said == "v3", "%s %s: X-API-VERSION is %q", c.call.Method, c.call.Path, said)
		}
	},
}
