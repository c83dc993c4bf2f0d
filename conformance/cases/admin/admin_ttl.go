package admin

import (
	"context"
	"net/http"
	"time"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches an Admin API that ignores ttl, so that what was meant for a moment stays
// for ever, or keeps the end of an object that was written again without one.
var adminTTL = spec.Case{
	ID: "ADMIN-TTL", Level: spec.Must, Needs: []spec.Feature{spec.AdminCRUD},
	Title: "An object that is written with ?ttl vanishes when that time is over, unless it is written again without.",
	Refs:  []string{"APISIX 3.18 Admin API, TTL"},
	After: []string{"ADMIN-ENVELOPE"},
	Run: func(ctx context.Context, t *spec.T) {
		brief, stays := "/routes/"+t.Name("brief"), "/routes/"+t.Name("stays")
		ask.Refused(ctx, t, put(brief+"?ttl=soon", route(t, "")), http.StatusBadRequest, "invalid argument ttl: should be a number")
		t.Track(brief[1:])
		t.Track(stays[1:])
		begin := time.Now()
		ask.Answered(ctx, t, put(stays+"?ttl=1", route(t, "")), http.StatusCreated)
		ask.Answered(ctx, t, put(stays, route(t, "")), http.StatusOK)
		ask.Answered(ctx, t, put(brief+"?ttl=1", route(t, "")), http.StatusCreated)
		// A store may round a lease up: etcd's shortest is one and a half times its
		// election timeout.
		ask.Until(ctx, t, "the object with ttl=1 vanishes", 1, func() bool {
			r := t.Call(ctx, get(brief))
			if r.Status == http.StatusOK {
				return false
			}
			t.Check(r.Status == http.StatusNotFound, "GET: got %s, want 200 or 404", r)
			return true
		})
		t.Logf("ttl=1 lasted %s", time.Since(begin).Round(10*time.Millisecond))
		t.Check(time.Since(begin) > 900*time.Millisecond, "the object with ttl=1 was gone after %s", time.Since(begin))
		ask.Answered(ctx, t, get(stays), http.StatusOK)
	},
}
