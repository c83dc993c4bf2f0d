package admin

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches an Admin API that takes a service from under the connections that it serves,
// because it looks for users among routes of requests only.
var adminStreamHolds = spec.Case{
	ID: "ADMIN-STREAM-HOLDS", Level: spec.Must, Needs: []spec.Feature{spec.AdminStreams},
	Title: "A service that a route of connections uses is not deleted: 400 names that route; such routes can be listed by the service_id and upstream_id that they refer to.",
	Refs:  []string{"APISIX 3.18 Admin API, reference checks on DELETE", "APISIX 3.18 Admin API, listing: filter"},
	After: []string{"ADMIN-STREAM-ROUTE"},
	Run: func(ctx context.Context, t *spec.T) {
		sv, by, none := t.Name("sv"), t.Name("by"), t.Name("none")
		t.Put(ctx, "services/"+sv, `{"upstream":{`+nodes+`}}`)
		t.Put(ctx, "stream_routes/"+by, fmt.Sprintf(`{"server_port":9100,"service_id":%q}`, sv))
		t.Put(ctx, "stream_routes/"+none, `{"server_port":9101,"upstream":{`+nodes+`}}`)
		t.Wait(ctx) // APISIX looks at what it has watched
		refusedWith(ctx, t, no{del("/services/" + sv), "can not delete this service directly, stream_route [" + by + "] is still using it now"})
		ask.Answered(ctx, t, get("/services/"+sv), http.StatusOK)
		for _, c := range []struct{ filter, want string }{{"service_id=" + sv, by}, {"upstream_id=" + sv, ""}, {"server_port=9101&service_id=" + sv, by}} {
			values, total := items(ctx, t, "/stream_routes?filter="+url.QueryEscape(c.filter))
			var got []string
			for _, v := range values {
				got = append(got, fmt.Sprint(v["id"]))
			}
			want := strings.Fields(c.want)
			t.Check(strings.Join(got, " ") == c.want && text(total) == fmt.Sprint(len(want)), "filter=%s: got %q, total %v, want %q", c.filter, got, total, want)
		}
		t.Delete(ctx, "stream_routes/"+by)
		letGo(ctx, t, "/services/"+sv)
	},
}
