package admin

import (
	"context"
	"fmt"
	"net/http"
	"sync"

	"github.com/unilb/unilb/conformance/spec"
)

// Catches an Admin API that reads, merges and writes without a look at what was written
// in between: of two operators who change different parts of one object, both told that
// it is done, one has changed nothing.
var adminPatchRace = spec.Case{
	ID: "ADMIN-PATCH-RACE", Level: spec.Must, Needs: []spec.Feature{spec.AdminPatch},
	Title: "Of several PATCHes of different members of one object at the same moment each that is answered 200 is in the result, and all others are 503 with value changed before overwritten.",
	Refs:  []string{"APISIX 3.18 Admin API, PATCH: compare on the revision that was read"},
	After: []string{"ADMIN-PATCH-MERGE"},
	Run: func(ctx context.Context, t *spec.T) {
		const at1, rounds = 8, 5
		path := "/routes/" + t.Name("r")
		t.Put(ctx, path[1:], route(t, `"labels":{},`))
		done, admins := map[string]string{}, t.Env().Admins()
		for round := range rounds {
			replies := make([]spec.Reply, at1)
			errs := make([]error, at1)
			var wg sync.WaitGroup
			for i := range at1 {
				c := patch(path, fmt.Sprintf(`{"labels":{"by%d":"round%d"}}`, i, round))
				wg.Go(func() { replies[i], errs[i] = admins[i%len(admins)].Do(ctx, c) })
			}
			wg.Wait()
			taken := 0
			for i, r := range replies {
				switch {
				case errs[i] != nil:
					t.Brokenf("%v", errs[i])
				case r.Status == http.StatusOK:
					taken++
					done[fmt.Sprintf("by%d", i)] = fmt.Sprintf("round%d", round)
				default:
					t.Check(r.Status == http.StatusServiceUnavailable && r.JSON()["error_msg"] == "value changed before overwritten", "PATCH: got %s, want 200, or 503 with value changed before overwritten", r)
				}
			}
			t.Check(taken > 0, "round %d: none of %d PATCHes was taken", round, at1)
		}
		want := map[string]any{}
		for by, round := range done {
			want[by] = round
		}
		got := stored(ctx, t, path)["labels"]
		t.Check(text(got) == text(want), "labels are %s, those of the PATCHes that were answered 200 are %s", text(got), text(want))
	},
}
