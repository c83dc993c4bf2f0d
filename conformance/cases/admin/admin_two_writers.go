package admin

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"

	"github.com/unilb/unilb/conformance/spec"
)

// Catches an Admin API that compares the revision and writes in two steps: under
// load one of two writers wins and the other is told that he did.
var adminTwoWriters = spec.Case{
	ID: "ADMIN-TWO-WRITERS", Level: spec.Must, Needs: []spec.Feature{spec.AdminIfMatch},
	Title: "Writers who read, change and write one object with If-Match at the same time lose no change: each that was answered 200 is in the result.",
	Refs:  []string{"docs/wire.md 2", "RFC 9110 13.1.1"},
	After: []string{"ADMIN-IF-MATCH"},
	Run: func(ctx context.Context, t *spec.T) {
		const writers, each = 4, 6
		path := "/routes/" + t.Name("r")
		t.Put(ctx, path[1:], route(t, `"priority":0,`))
		admins := t.Env().Admins()
		var wg sync.WaitGroup
		for w := range writers {
			wg.Go(func() {
				for n := 0; n < each && ctx.Err() == nil; {
					did, err := increment(ctx, t, admins[w%len(admins)], path)
					if err != nil {
						t.Check(false, "%v", err)
						return
					}
					if did {
						n++
					}
				}
			})
		}
		wg.Wait()
		got := text(stored(ctx, t, path)["priority"])
		t.Check(got == fmt.Sprint(writers*each), "%d increments were answered with 200, and the object has %s", writers*each, got)
	},
}

// increment adds one to the priority; false when somebody else was faster.
func increment(ctx context.Context, t *spec.T, at spec.Endpoint, path string) (bool, error) {
	r, err := at.Do(ctx, get(path))
	if err != nil || r.Status != http.StatusOK {
		return false, fmt.Errorf("GET: got %s, %w", r, err)
	}
	n, _ := in(r.JSON(), "value", "priority").(json.Number)
	was, err := n.Int64()
	if err != nil {
		return false, fmt.Errorf("priority of %s: %w", r, err)
	}
	rev, _ := r.JSON()["modifiedIndex"].(json.Number)
	c := put(path, route(t, fmt.Sprintf(`"priority":%d,`, was+1)))
	c.Header = map[string]string{"If-Match": rev.String()}
	w, err := at.Do(ctx, c)
	switch {
	case err != nil:
		return false, err
	case w.Status == http.StatusOK:
		return true, nil
	case w.Status == http.StatusPreconditionFailed:
		return false, nil
	}
	return false, fmt.Errorf("PUT with If-Match %s: got %s, want 200 or 412", rev, w)
}
