package admin

import (
	"context"
	"net/http"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches an Admin API that takes routes which no gateway will ever follow, or that says
// so to some methods only.
var adminStreamOff = spec.Case{
	ID: "ADMIN-STREAM-OFF", Level: spec.Must, Needs: []spec.Feature{spec.AdminStreamsOff},
	Title: "Where gateways route no connections every request for stream_routes, a read too, is refused with 400 and that reason, before its body and its method are looked at.",
	Refs:  []string{"APISIX 3.18 Admin API, early errors: stream mode is disabled", "APISIX 3.18 Admin API, order of the checks on a write"},
	Run: func(ctx context.Context, t *spec.T) {
		path, why := "/stream_routes/"+t.Name("s"), "stream mode is disabled, can not add stream routes"
		refusedWith(ctx, t,
			no{get("/stream_routes"), why}, no{get(path), why}, no{del(path), why},
			no{put(path, `{"server_port":9100,"upstream":{`+nodes+`}}`), why},
			no{post("/stream_routes", `{"server_port":9100,"upstream":{`+nodes+`}}`), why},
			no{put(path, `{"no_such_member":1}`), why}, no{put(path, `{`), why},
			no{patch(path, `{"server_port":1}`), why},
		)
		keyless := put(path, `{}`)
		keyless.NoKey = true
		r := t.Call(ctx, keyless)
		t.Check(r.Status == http.StatusUnauthorized, "PUT %s without a key: got %s, want 401", path, r)
		ask.Refused(ctx, t, get("/stream_route"), http.StatusNotFound, "Unsupported resource type: stream_route")
	},
}
