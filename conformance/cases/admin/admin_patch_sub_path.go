package admin

import (
	"context"
	"fmt"
	"net/http"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a PATCH of a part that merges where it must replace: a node that was
// taken out by "PATCH .../nodes" goes on getting requests.
var adminPatchSubPath = spec.Case{
	ID: "ADMIN-PATCH-SUB-PATH", Level: spec.Must, Needs: []spec.Feature{spec.AdminPatch},
	Title: "PATCH with a path below the object replaces the value there, whatever its kind, makes the objects on the way, and goes through objects only.",
	Refs:  []string{"APISIX 3.18 Admin API, PATCH: sub-path"},
	After: []string{"ADMIN-PATCH-MERGE"},
	Run: func(ctx context.Context, t *spec.T) {
		up, rt := "/upstreams/"+t.Name("u"), "/routes/"+t.Name("r")
		t.Put(ctx, up[1:], `{"desc":"kept","type":"roundrobin","nodes":{"192.0.2.1:80":1,"192.0.2.2:80":1}}`)
		t.Put(ctx, rt[1:], route(t, `"desc":"kept","methods":["GET"],`))
		for _, c := range []struct {
			path, sub, body string
			at              []string
			want            string
		}{
			{up, "/nodes", `{"192.0.2.3:80":3}`, []string{"nodes"}, `{"192.0.2.3:80":3}`},
			{up, "/nodes/192.0.2.3:80", `9`, []string{"nodes"}, `{"192.0.2.3:80":9}`},
			{up, "/retries", `2`, []string{"retries"}, `2`},
			{rt, "/methods", `["PUT","POST"]`, []string{"methods"}, `["PUT","POST"]`},
			{rt, "/labels/team", `"web"`, []string{"labels"}, `{"team":"web"}`},
			{rt, "/labels/a.b-c", `"x"`, []string{"labels"}, `{"a.b-c":"x","team":"web"}`},
			{rt, "/upstream/nodes", `[{"host":"192.0.2.9","port":80,"weight":1}]`, []string{"upstream", "nodes"}, `[{"host":"192.0.2.9","port":80,"weight":1}]`},
			{rt, "/uri", `"/b"`, []string{"uri"}, `"/b"`},
		} {
			r := ask.Answered(ctx, t, patch(c.path+c.sub, c.body), http.StatusOK)
			t.Check(text(in(valueOf(t, r), c.at...)) == c.want, "PATCH %s with %s: the answer is %s, want %s there", c.sub, c.body, r, c.want)
			v := stored(ctx, t, c.path)
			t.Check(text(in(v, c.at...)) == c.want && v["desc"] == "kept", "PATCH %s with %s: got %s, want %s there and all else as it was", c.sub, c.body, text(v), c.want)
		}
		t.Step("through what is no object")
		ask.Refused(ctx, t, patch(rt+"/uri/deeper", `"x"`), http.StatusBadRequest, "invalid sub-path: /uri")
		ask.Refused(ctx, t, patch(rt+"/methods/0", `"GET"`), http.StatusBadRequest, "invalid sub-path: /methods")
		t.Check(stored(ctx, t, rt)["uri"] == "/b", "a refused PATCH changed the object")

		t.Step("an empty last part replaces the whole object")
		ask.Answered(ctx, t, patch(rt+"/", fmt.Sprintf(`{"host":%q,"uri":"/whole","upstream":{%s}}`, t.Host(), nodes)), http.StatusOK)
		v := stored(ctx, t, rt)
		_, desc := v["desc"]
		_, methods := v["methods"]
		t.Check(v["uri"] == "/whole" && !desc && !methods && v["id"] == t.Name("r"), "PATCH %s/: got %s, want the new object alone", rt, text(v))
	},
}
