package admin

import (
	"context"
	"fmt"
	"net/url"

	"github.com/unilb/unilb/conformance/spec"
)

// Catches an Admin API in which nobody finds out who uses a service before he
// touches it.
var adminListByReference = spec.Case{
	ID: "ADMIN-LIST-BY-REFERENCE", Level: spec.Must, Needs: []spec.Feature{spec.AdminList},
	Title: "Routes can be listed by the service_id and upstream_id that they refer to; of a repeated field the last counts, and unknown fields do not.",
	Refs:  []string{"APISIX 3.18 Admin API, listing: filter"},
	After: []string{"ADMIN-ENVELOPE"},
	Run: func(ctx context.Context, t *spec.T) {
		up, sv := t.Name("up"), t.Name("sv")
		t.Put(ctx, "upstreams/"+up, `{`+nodes+`}`)
		t.Put(ctx, "services/"+sv, `{"upstream":{`+nodes+`}}`)
		for id, refs := range map[string]string{
			"a": fmt.Sprintf(`"upstream_id":%q`, up), "b": fmt.Sprintf(`"service_id":%q`, sv),
			"c": fmt.Sprintf(`"service_id":%q,"upstream_id":%q`, sv, up), "d": `"upstream":{` + nodes + `}`,
		} {
			t.Put(ctx, "routes/"+t.Name(id), fmt.Sprintf(`{"host":%q,"uri":"/a",%s}`, t.Host(), refs))
		}
		for _, c := range []struct{ filter, want string }{
			{"upstream_id=" + up, "ac"}, {"service_id=" + sv, "bc"},
			{"service_id=" + sv + "&upstream_id=" + up, "c"},
			{"service_id=" + t.Name("none"), ""}, {"service_id=", ""},
			{"service_id=" + t.Name("none") + "&service_id=" + sv, "bc"},
			{"service_id=" + sv + "&no_such_field=1", "bc"},
		} {
			checkListed(ctx, t, "filter="+url.QueryEscape(c.filter), c.want)
		}
	},
}
