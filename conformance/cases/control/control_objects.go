package control

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that tells what the store has instead of what it has in force, or
// whose objects nobody can tell apart from older versions of them.
var controlObjects = spec.Case{
	ID: "CONTROL-OBJECTS", Level: spec.Must, Needs: []spec.Feature{spec.ControlObjects},
	Title: "The control API tells each route, service and upstream with the value and the revisions that the Admin API tells, and 404 for what is gone.",
	Refs:  []string{"APISIX 3.18 control API, /v1/routes, /v1/route/{id} and so on"},
	Objects: `
-- upstreams/{{.ID}} --
{"type": "roundrobin", "nodes": {"192.0.2.1:80": 1}}
-- services/{{.ID}} --
{"upstream_id": "{{.ID}}"}
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/a", "desc": "first", "service_id": "{{.ID}}"}
`,
	Run: func(ctx context.Context, t *spec.T) {
		t.Put(ctx, "routes/"+t.ID(), fmt.Sprintf(`{"host": %q, "uri": "/b", "desc": "second", "service_id": %q}`, t.Host(), t.ID()))
		t.Wait(ctx)
		each(t, func(gw spec.Gateway) {
			for _, kind := range []string{"route", "service", "upstream"} {
				admin := ask.Answered(ctx, t, spec.Call{Method: http.MethodGet, Path: "/" + kind + "s/" + t.ID()}, http.StatusOK).JSON()
				same(t, gw, answered(ctx, t, gw, "/v1/"+kind+"/"+t.ID(), http.StatusOK, "").JSON(), admin)
				found := map[string]any(nil)
				for _, o := range list(t, answered(ctx, t, gw, "/v1/"+kind+"s", http.StatusOK, "")) {
					if in(o, "value", "id") == t.ID() {
						found = o
					}
				}
				same(t, gw, found, admin)
				answered(ctx, t, gw, "/v1/"+kind+"/"+t.Name("none"), http.StatusNotFound, fmt.Sprintf("%s[%s] not found", kind, t.Name("none")))
			}
		})
		t.Delete(ctx, "routes/"+t.ID())
		t.Wait(ctx)
		each(t, func(gw spec.Gateway) {
			answered(ctx, t, gw, "/v1/route/"+t.ID(), http.StatusNotFound, fmt.Sprintf("route[%s] not found", t.ID()))
		})
	},
}

// same checks that an object is what the Admin API says. A gateway may fill in what the
// object does not say.
func same(t *spec.T, gw spec.Gateway, got, admin map[string]any) {
	key, _ := got["key"].(string)
	want, _ := admin["key"].(string)
	t.Check(key != "" && strings.HasSuffix(want, key[strings.Index(key[1:], "/")+1:]), "%s: got key %q of %v, want %q", gw.Ref, key, got, want)
	for _, revision := range []string{"createdIndex", "modifiedIndex"} {
		t.Check(fmt.Sprint(got[revision]) == fmt.Sprint(admin[revision]), "%s: %s: %s is %v, the Admin API says %v", gw.Ref, want, revision, got[revision], admin[revision])
	}
	value, _ := admin["value"].(map[string]any)
	for name, v := range value {
		if name == "create_time" || name == "update_time" {
			continue
		}
		t.Check(fmt.Sprint(in(got, "value", name)) == fmt.Sprint(v), "%s: %s: %s is %v, want %v", gw.Ref, want, name, in(got, "value", name), v)
	}
}
