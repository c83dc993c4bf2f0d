package admin

import (
	"context"

	"github.com/unilb/unilb/conformance/spec"
)

// Catches an Admin API that deletes a route from under those that depend on it, or
// lets two protocols depend on each other.
var adminStreamInUse = spec.Case{
	ID: "ADMIN-STREAM-IN-USE", Level: spec.Must, Needs: []spec.Feature{spec.AdminStreams},
	Title: "A route of connections that another has as its superior is not deleted; the superior must exist, have the same protocol and be another one.",
	Refs:  []string{"APISIX 3.18 Admin API, reference checks"},
	After: []string{"ADMIN-STREAM-ROUTE"},
	Run: func(ctx context.Context, t *spec.T) {
		sup, sub := t.Name("sup"), t.Name("sub")
		of := func(protocol, superior string) string {
			return `{"protocol":{"name":"` + protocol + `","superior_id":"` + superior + `"}}`
		}
		refusedWith(ctx, t, no{put("/stream_routes/"+sub, of("redis", sup)), "failed to fetch stream routes[" + sup + "], response code: 404"})
		t.Put(ctx, "stream_routes/"+sup, `{"protocol":{"name":"redis"}}`)
		refusedWith(ctx, t,
			no{put("/stream_routes/"+sub, of("dubbo", sup)), "protocol mismatch: subordinate protocol [dubbo] does not match superior protocol [redis]"},
			no{put("/stream_routes/"+sub, of("redis", sub)), "stream route can not set itself as superior_id"},
		)
		t.Put(ctx, "stream_routes/"+sub, of("redis", sup))
		refusedWith(ctx, t, no{del("/stream_routes/" + sup), "can not delete this stream route directly, stream route [" + sub + "] is still using it as superior_id"})
		t.Delete(ctx, "stream_routes/"+sub)
		letGo(ctx, t, "/stream_routes/"+sup)
	},
}
