package admin

import (
	"context"
	"fmt"
	"net/http"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches an Admin API that deletes the targets of connections that are routed to them,
// as APISIX does: it looks at routes of requests and services only.
var adminStreamUpstream = spec.Case{
	ID: "ADMIN-STREAM-UPSTREAM", Level: spec.Should, Needs: []spec.Feature{spec.AdminStreams},
	Title: "An upstream that a route of connections uses is not deleted: 400 names that route; with force it is.",
	Refs:  []string{"APISIX 3.18 Admin API, reference checks on DELETE, here for stream_routes too"},
	After: []string{"ADMIN-STREAM-ROUTE"},
	Run: func(ctx context.Context, t *spec.T) {
		up, by := t.Name("up"), t.Name("by")
		t.Put(ctx, "upstreams/"+up, `{`+nodes+`}`)
		t.Put(ctx, "stream_routes/"+by, fmt.Sprintf(`{"server_port":9100,"upstream_id":%q}`, up))
		refusedWith(ctx, t, no{del("/upstreams/" + up), "can not delete this upstream, stream_route [" + by + "] is still using it now"})
		ask.Answered(ctx, t, get("/upstreams/"+up), http.StatusOK)
		ask.Answered(ctx, t, del("/upstreams/"+up+"?force=true"), http.StatusOK)
		ask.Missing(ctx, t, get("/upstreams/"+up))
	},
}
