package admin

import (
	"context"
	"fmt"
	"net/http"

	"github.com/unilb/unilb/conformance/spec"
)

// Catches a replica of the Admin API that answers from a cache, or from a member
// of the store that is behind: a client that is sent to another replica for its
// next call does not see what it has just written.
var adminReadYourWrites = spec.Case{
	ID: "ADMIN-READ-YOUR-WRITES", Level: spec.Must, Needs: []spec.Feature{spec.AdminCRUD},
	Title: "What was written or deleted through one replica of the Admin API is what every replica answers from that moment on, in GET and in lists.",
	Refs:  []string{"APISIX 3.18 Admin API, response envelope: what was stored", "etcd API guarantees, linearizable reads"},
	After: []string{"ADMIN-ENVELOPE"},
	Run: func(ctx context.Context, t *spec.T) {
		const rounds = 20
		id := t.Name("r")
		path := "/routes/" + id
		t.Track(path[1:])
		admins := t.Env().Admins()
		do := func(i int, c spec.Call) spec.Reply {
			r, err := admins[i%len(admins)].Do(ctx, c)
			if err != nil {
				t.Brokenf("%v", err)
			}
			return r
		}
		for i := range rounds {
			want := fmt.Sprintf("round %d", i)
			if r := do(i, put(path, route(t, fmt.Sprintf(`"desc":%q,`, want)))); r.Status/100 != 2 {
				t.Fatalf("PUT: got %s, want 2xx", r)
			}
			for k := range admins {
				r := do(i+k, get(path))
				t.Check(in(r.JSON(), "value", "desc") == want, "replica %d, after a write through replica %d: got %s, want %q", (i+k)%len(admins), i%len(admins), r, want)
			}
			if i%4 != 0 {
				continue
			}
			if r := do(i, del(path)); r.Status != http.StatusOK {
				t.Fatalf("DELETE: got %s, want 200", r)
			}
			for k := range admins {
				r := do(i+k+1, get(path))
				t.Check(r.Status == http.StatusNotFound, "replica %d, after a delete through replica %d: got %s, want 404", (i+k+1)%len(admins), i%len(admins), r)
				r = do(i+k+1, get("/routes"))
				list, _ := r.JSON()["list"].([]any)
				t.Check(r.Status == http.StatusOK && countID(list, id) == 0, "replica %d lists %s, which was deleted through replica %d", (i+k+1)%len(admins), id, i%len(admins))
			}
		}
	},
}
