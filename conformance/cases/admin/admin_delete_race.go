package admin

import (
	"context"
	"net/http"
	"sync"

	"github.com/unilb/unilb/conformance/spec"
)

// Catches an Admin API that looks first and deletes then: two operators both
// read that they deleted the object, and one of them deleted nothing.
var adminDeleteRace = spec.Case{
	ID: "ADMIN-DELETE-RACE", Level: spec.Must, Needs: []spec.Feature{spec.AdminCRUD},
	Title: "Of several deletes of one object at the same moment one is answered 200 and all others 404.",
	Refs:  []string{"APISIX 3.18 Admin API, response envelope: DELETE"},
	After: []string{"ADMIN-ENVELOPE"},
	Run: func(ctx context.Context, t *spec.T) {
		const at1, rounds = 6, 5
		path := "/routes/" + t.Name("r")
		for range rounds {
			t.Put(ctx, path[1:], route(t, ""))
			replies := make([]spec.Reply, at1)
			errs := make([]error, at1)
			var wg sync.WaitGroup
			admins := t.Env().Admins()
			for i := range at1 {
				wg.Go(func() { replies[i], errs[i] = admins[i%len(admins)].Do(ctx, del(path)) })
			}
			wg.Wait()
			done := 0
			for i, r := range replies {
				switch {
				case errs[i] != nil:
					t.Brokenf("%v", errs[i])
				case r.Status == http.StatusOK:
					done++
				default:
					t.Check(r.Status == http.StatusNotFound, "DELETE: got %s, want 200 or 404", r)
				}
			}
			t.Check(done == 1, "%d of %d deletes say that they deleted the object, want 1", done, at1)
		}
	},
}
