package admin

import (
	"context"
	"fmt"
	"net/http"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches an Admin API that has no routes of connections, or takes members that only
// routes of requests have.
var adminStreamRoute = spec.Case{
	ID: "ADMIN-STREAM-ROUTE", Level: spec.Must, Needs: []spec.Feature{spec.AdminStreams},
	Title: "Routes of connections are created, replaced, listed, read and deleted like all objects, and cannot be patched.",
	Refs:  []string{"APISIX 3.18 Admin API, resources: stream_routes"},
	After: []string{"ADMIN-KINDS"},
	Run: func(ctx context.Context, t *spec.T) {
		path := "/stream_routes/" + t.Name("s")
		t.Track(path[1:])
		body := `{"server_port":9100,"remote_addr":"192.0.2.0/24","upstream":{` + nodes + `}}`
		created := valueOf(t, ask.Answered(ctx, t, put(path, body), http.StatusCreated))
		ask.Answered(ctx, t, put(path, body), http.StatusOK)
		got := stored(ctx, t, path)
		t.Check(text(got["upstream"]) == text(created["upstream"]) && text(got["server_port"]) == "9100", "GET: got %s, want what was put", text(got))
		id := fmt.Sprint(valueOf(t, ask.Answered(ctx, t, post("/stream_routes", body), http.StatusCreated))["id"])
		t.Track("stream_routes/" + id)
		ask.Answered(ctx, t, get("/stream_routes/"+id), http.StatusOK)
		const inv = "invalid configuration: "
		refusedWith(ctx, t,
			no{put(path, `{"uri":"/a"}`), inv + "additional properties forbidden, found uri"},
			no{put(path, `{"server_port":65536}`), inv + `property "server_port" validation failed: expected 65536 to be at most 65535`},
			no{put(path, `{"protocol":{}}`), inv + `property "protocol" validation failed: property "name" is required`},
			no{put(path, `{"upstream_id":"`+t.Name("none")+`"}`), "failed to fetch upstream info by upstream id [" + t.Name("none") + "], response code: 404"},
		)
		ask.Refused(ctx, t, patch(path, `{"server_port":1}`), http.StatusMethodNotAllowed, "not supported `PATCH` method for stream route")
		ask.Answered(ctx, t, del(path), http.StatusOK)
		ask.Missing(ctx, t, get(path))
	},
}
