package admin

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"

	"github.com/unilb/unilb/conformance/spec"
)

// Catches an Admin API that loses one of several writes at once, or does not see what
// was written a moment before.
var adminSync = spec.Case{
	ID: "ADMIN-SYNC", Level: spec.Must, Needs: []spec.Feature{spec.AdminReferences},
	Title: "Ten objects at a time, each with one that refers to it written right after, all arrive; the same again changes no value and is 200.",
	Refs:  []string{"APISIX 3.18 Admin API, clients: ADC"},
	After: []string{"ADMIN-READ-YOUR-WRITES"},
	Run: func(ctx context.Context, t *spec.T) {
		const n, atOnce = 40, 10
		write := func(i, status int) {
			service, rt := t.Name(fmt.Sprintf("s%d", i)), t.Name(fmt.Sprintf("r%d", i))
			for _, c := range []spec.Call{
				put("/upstreams/"+service, `{`+nodes+`}`),
				put("/services/"+service, fmt.Sprintf(`{"name":%q,"upstream_id":%q}`, service, service)),
				put("/routes/"+rt, fmt.Sprintf(`{"name":%q,"host":%q,"uris":["/%d","/%d/*"],"service_id":%q,"priority":%d}`, rt, t.Host(), i, i, service, i)),
			} {
				r := t.Call(ctx, c)
				t.Check(r.Status == status, "PUT %s: got %s, want %d", c.Path, r, status)
			}
		}
		for i := range n {
			for _, path := range []string{"upstreams/" + t.Name(fmt.Sprintf("s%d", i)), "services/" + t.Name(fmt.Sprintf("s%d", i)), "routes/" + t.Name(fmt.Sprintf("r%d", i))} {
				t.Track(path)
			}
		}
		atATime(n, atOnce, func(i int) { write(i, http.StatusCreated) })
		before := dump(ctx, t)
		t.Check(len(before) == 3*n, "%d objects are listed, %d were written", len(before), 3*n)
		atATime(n, atOnce, func(i int) { write(i, http.StatusOK) })
		for path, v := range dump(ctx, t) {
			t.Check(before[path] == v, "%s is %s after the same was written again, was %s", path, v, before[path])
		}
	},
}

// atATime calls f for 0 to n-1, so many at once.
func atATime(n, atOnce int, f func(i int)) {
	var wg sync.WaitGroup
	slots := make(chan struct{}, atOnce)
	for i := range n {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			f(i)
		})
	}
	wg.Wait()
}

// dump lists what the case has written: values without times, by kind and id.
func dump(ctx context.Context, t *spec.T) map[string]string {
	out := map[string]string{}
	for _, kind := range []string{"services", "routes", "upstreams"} {
		values, _ := items(ctx, t, "/"+kind)
		for _, v := range values {
			if id := fmt.Sprint(v["id"]); strings.HasPrefix(id, t.Name("")) {
				delete(v, "create_time")
				delete(v, "update_time")
				out[kind+"/"+id] = text(v)
			}
		}
	}
	return out
}
