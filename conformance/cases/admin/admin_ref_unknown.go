package admin

import (
	"context"
	"fmt"
	"net/http"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches an Admin API that stores a route to nowhere: the typing error of an
// operator becomes an outage.
var adminRefUnknown = spec.Case{
	ID: "ADMIN-REF-UNKNOWN", Level: spec.Must, Needs: []spec.Feature{spec.AdminReferences},
	Title: "An object that refers to an upstream or a service that does not exist is refused with 400 and its id, with force, too, and is not stored.",
	Refs:  []string{"APISIX 3.18 Admin API, reference checks"},
	After: []string{"ADMIN-ENVELOPE"},
	Run: func(ctx context.Context, t *spec.T) {
		none, there := t.Name("none"), t.Name("there")
		t.Put(ctx, "upstreams/"+there, `{`+nodes+`}`)
		for _, c := range []struct{ path, body, what string }{
			{"/routes/" + t.Name("r"), fmt.Sprintf(`{"host":%q,"uri":"/a","upstream_id":%q}`, t.Host(), none), "upstream"},
			{"/routes/" + t.Name("r"), fmt.Sprintf(`{"host":%q,"uri":"/a","service_id":%q}`, t.Host(), none), "service"},
			{"/routes/" + t.Name("r"), fmt.Sprintf(`{"host":%q,"uri":"/a","upstream_id":%q,"service_id":%q}`, t.Host(), there, none), "service"},
			{"/services/" + t.Name("s"), fmt.Sprintf(`{"upstream_id":%q}`, none), "upstream"},
		} {
			begins := fmt.Sprintf("failed to fetch %s info by %s id [%s], response code: 404", c.what, c.what, none)
			t.Track(c.path[1:])
			ask.Refused(ctx, t, put(c.path, c.body), http.StatusBadRequest, begins)
			ask.Refused(ctx, t, put(c.path+"?force=true", c.body), http.StatusBadRequest, begins)
			ask.Missing(ctx, t, get(c.path))
		}
		t.Step("an edit that leads to nowhere")
		path := "/routes/" + t.Name("edited")
		t.Put(ctx, path[1:], fmt.Sprintf(`{"host":%q,"uri":"/a","upstream_id":%q}`, t.Host(), there))
		ask.Refused(ctx, t, put(path, fmt.Sprintf(`{"host":%q,"uri":"/a","upstream_id":%q}`, t.Host(), none)), http.StatusBadRequest, "failed to fetch upstream info")
		t.Check(stored(ctx, t, path)["upstream_id"] == there, "a refused edit changed the route")
	},
}
