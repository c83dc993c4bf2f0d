package admin

import (
	"context"
	"fmt"
	"net/http"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// off is a plugin configuration that does nothing to anybody's traffic.
const off = `"plugins":{"response-rewrite":{"_meta":{"disable":true},"body":"x"}}`

// Catches an Admin API that has routes, services and upstreams and forgets what
// else configurations are made of.
var adminKinds = spec.Case{
	ID: "ADMIN-KINDS", Level: spec.Must, Needs: []spec.Feature{spec.AdminKinds},
	Title: "Consumers, plugin configs, consumer groups and global rules are created, replaced, read and deleted like all objects; consumers are written without an id in the path.",
	Refs:  []string{"APISIX 3.18 Admin API, resources", "APISIX 3.18 Admin API, response envelope"},
	After: []string{"ADMIN-ENVELOPE"},
	Run: func(ctx context.Context, t *spec.T) {
		user := t.Name("user")
		for _, k := range []struct{ kind, id, at, body string }{
			{"consumers", user, "/consumers", fmt.Sprintf(`{"username":%q,"desc":"one"}`, user)},
			{"plugin_configs", t.Name("c"), "", `{"desc":"one",` + off + `}`},
			{"consumer_groups", t.Name("g"), "", `{"desc":"one",` + off + `}`},
			{"global_rules", t.Name("r"), "", `{` + off + `}`},
		} {
			path := "/" + k.kind + "/" + k.id
			at := path
			if k.at != "" {
				at = k.at
			}
			t.Track(path[1:])
			ask.Missing(ctx, t, get(path))
			created := valueOf(t, ask.Answered(ctx, t, put(at, k.body), http.StatusCreated))
			ask.Answered(ctx, t, put(at, k.body), http.StatusOK)
			r := ask.Answered(ctx, t, get(path), http.StatusOK)
			t.Check(isKey(r.JSON()["key"], k.kind, k.id) && isInt(r.JSON()["modifiedIndex"]), "GET %s: got %s, want its key and revision", path, r)
			v := valueOf(t, r)
			t.Check(text(v["plugins"]) == text(created["plugins"]) && v["desc"] == created["desc"], "GET %s: got %s, want what was put", path, text(v))
			r = ask.Answered(ctx, t, del(path), http.StatusOK)
			t.Check(r.JSON()["deleted"] == "1", "DELETE %s: got %s, want deleted \"1\"", path, r)
			ask.Missing(ctx, t, get(path))
		}
		ask.Refused(ctx, t, put("/consumers/another", fmt.Sprintf(`{"username":%q}`, user)), http.StatusBadRequest, "wrong username")
	},
}
