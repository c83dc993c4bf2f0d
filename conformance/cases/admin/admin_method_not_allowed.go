package admin

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches an Admin API that takes a POST for kinds whose ids clients must choose,
// and makes a new object of every retry.
var adminMethodNotAllowed = spec.Case{
	ID: "ADMIN-METHOD-NOT-ALLOWED", Level: spec.Must, Needs: []spec.Feature{spec.AdminKinds},
	Title: "A method that a kind of objects does not have is refused with 405, which names both, and changes nothing.",
	Refs:  []string{"APISIX 3.18 Admin API, resources: methods", "APISIX 3.18 Admin API, early errors", "RFC 9110 15.5.6"},
	After: []string{"ADMIN-KINDS"},
	Run: func(ctx context.Context, t *spec.T) {
		for _, c := range []struct {
			call spec.Call
			kind string
		}{
			{post("/consumers", fmt.Sprintf(`{"username":%q}`, t.Name("u"))), "consumer"},
			{patch("/consumers/"+t.Name("u"), `{"desc":"x"}`), "consumer"},
			{post("/plugin_configs", `{`+off+`}`), "plugin config"},
			{post("/consumer_groups", `{`+off+`}`), "consumer group"},
			{post("/global_rules", `{`+off+`}`), "global rule"},
		} {
			kind, _, _ := strings.Cut(c.call.Path[1:], "/")
			before, _ := items(ctx, t, "/"+kind)
			ask.Refused(ctx, t, c.call, http.StatusMethodNotAllowed, fmt.Sprintf("not supported `%s` method for %s", c.call.Method, c.kind))
			after, _ := items(ctx, t, "/"+kind)
			t.Check(len(after) == len(before), "%s %s was refused, and there are %d objects, were %d", c.call.Method, c.call.Path, len(after), len(before))
		}
	},
}
