package admin

import (
	"context"
	"net/http"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches an Admin API that takes a misspelt wait for none, so that who relies on it is
// told too early, and one that finds the mistake after the write.
var adminWaitBad = spec.Case{
	ID: "ADMIN-WAIT-BAD", Level: spec.Must, Needs: []spec.Feature{spec.AdminWait},
	Title: "A wait for anything but applied, or for a time that is no duration up to 60s, is refused before anything is written.",
	Refs:  []string{"docs/admin.md, waiting until gateways serve a write"},
	After: []string{"ADMIN-WAIT"},
	Run: func(ctx context.Context, t *spec.T) {
		path := "/routes/" + t.Name("r")
		t.Track(path[1:])
		for _, q := range []struct{ query, about string }{
			{"wait=", "wait"}, {"wait=true", "wait"}, {"wait=Applied", "wait"},
			{"wait=applied&timeout=", "timeout"}, {"wait=applied&timeout=10", "timeout"}, {"wait=applied&timeout=0s", "timeout"},
			{"wait=applied&timeout=-1s", "timeout"}, {"wait=applied&timeout=61s", "timeout"},
		} {
			ask.Refused(ctx, t, put(path+"?"+q.query, route(t, "")), http.StatusBadRequest, "invalid argument "+q.about+": ")
		}
		ask.Missing(ctx, t, get(path))
	},
}
