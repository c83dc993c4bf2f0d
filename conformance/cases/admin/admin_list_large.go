package admin

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/unilb/unilb/conformance/spec"
)

// Catches an Admin API that answers a long list in part, or not at all once it is too
// long for one read of its store.
var adminListLarge = spec.Case{
	ID: "ADMIN-LIST-LARGE", Level: spec.Must, Needs: []spec.Feature{spec.AdminList},
	Title: "A list of hundreds of objects without paging is complete, each object once, and total counts them.",
	Refs:  []string{"APISIX 3.18 Admin API, listing and paging", "APISIX 3.18 Admin API, clients: ADC"},
	After: []string{"ADMIN-LIST-FILTER"},
	Run: func(ctx context.Context, t *spec.T) {
		const n = 250
		label := "l" + t.ID()
		for i := range n {
			t.Track(fmt.Sprintf("upstreams/%s", t.Name(fmt.Sprintf("%04d", i))))
		}
		atATime(n, 10, func(i int) {
			r := t.Call(ctx, put("/upstreams/"+t.Name(fmt.Sprintf("%04d", i)), fmt.Sprintf(`{"labels":{%q:"x"},"desc":%q,"nodes":{}}`, label, strings.Repeat("x", 200))))
			t.Check(r.Status == http.StatusCreated, "PUT: got %s", r)
		})
		for _, query := range []string{"", "?label=" + label} {
			values, total := items(ctx, t, "/upstreams"+query)
			seen := map[string]bool{}
			for _, v := range values {
				if id := fmt.Sprint(v["id"]); strings.HasPrefix(id, t.Name("")) {
					t.Check(!seen[id], "%s is listed twice", id)
					seen[id] = true
				}
			}
			t.Check(len(seen) == n, "list%s: %d of %d objects", query, len(seen), n)
			t.Check(text(total) == fmt.Sprint(len(values)), "list%s: total is %v of %d", query, total, len(values))
		}
	},
}
