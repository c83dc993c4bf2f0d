package admin

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"

	"github.com/unilb/unilb/conformance/spec"
)

// Catches a replica of the Admin API that goes by what it remembers: behind one address
// each call of a client may meet another one, and the next comes within a millisecond.
var adminReplicas = spec.Case{
	ID: "ADMIN-REPLICAS", Level: spec.Must, Needs: []spec.Feature{spec.AdminCRUD},
	Title: "One client's calls may go to replicas in turn and through the address of all: what a call relies on was written by the one before, edits of parts lose nothing, and pages fit together.",
	Refs:  []string{"docs/admin.md: no state", "APISIX 3.18 Admin API, reference checks and PATCH"},
	Run: func(ctx context.Context, t *spec.T) {
		r := &replicas{t: t, at: append(t.Env().Admins(), t.Env().Admin())}
		r.dependOnEachOther(ctx)
		r.patchAtOnce(ctx)
		r.pageInTurn(ctx)
	},
}

// replicas are called in turn.
type replicas struct {
	t  *spec.T
	at []spec.Endpoint
	n  int
}

func (r *replicas) next(ctx context.Context, c spec.Call) spec.Reply {
	r.n++
	reply, err := r.at[r.n%len(r.at)].Do(ctx, c)
	if err != nil {
		r.t.Brokenf("%v", err)
	}
	return reply
}

func (r *replicas) must(ctx context.Context, status int, c spec.Call) spec.Reply {
	reply := r.next(ctx, c)
	r.t.Check(reply.Status == status, "%s %s at %s: got %s, want %d", c.Method, c.Path, r.at[r.n%len(r.at)].URL, reply, status)
	return reply
}

// dependOnEachOther writes what the next call needs, and deletes what it must not find.
func (r *replicas) dependOnEachOther(ctx context.Context) {
	up, path := "/upstreams/"+r.t.Name("u"), "/routes/"+r.t.Name("d")
	r.t.Track(up[1:])
	r.t.Track(path[1:])
	body := r.t.Render(fmt.Sprintf(`{"uri":"/","host":"{{.Host}}","upstream_id":%q}`, r.t.Name("u")))
	for range 2*len(r.at) + 1 { // each is the first one once
		r.must(ctx, http.StatusCreated, put(up, `{`+nodes+`}`))
		r.must(ctx, http.StatusCreated, put(path, body))
		r.must(ctx, http.StatusOK, get(path))
		r.must(ctx, http.StatusBadRequest, del(up))
		r.must(ctx, http.StatusOK, get(path))
		r.must(ctx, http.StatusOK, del(path))
		r.must(ctx, http.StatusNotFound, get(path))
		r.must(ctx, http.StatusOK, del(up))
		r.must(ctx, http.StatusBadRequest, put(path, body))
		r.must(ctx, http.StatusNotFound, get(up))
	}
}

// patchAtOnce has each replica add labels to one object at the same time. Who is told
// that somebody was faster tries again.
func (r *replicas) patchAtOnce(ctx context.Context) {
	const each = 5
	path := "/routes/" + r.t.Name("p")
	r.t.Put(ctx, path[1:], route(r.t, `"labels":{"begin":"x"},`))
	var wg sync.WaitGroup
	for i, at := range r.at {
		wg.Go(func() {
			for n := 0; n < each && ctx.Err() == nil; {
				reply, err := at.Do(ctx, patch(path, fmt.Sprintf(`{"labels":{"l%d-%d":"x"}}`, i, n)))
				switch {
				case err == nil && reply.Status == http.StatusOK:
					n++
				case err != nil || reply.JSON()["error_msg"] != "value changed before overwritten":
					r.t.Check(false, "PATCH at %s: got %s, %v, want 200, or 503 for a lost race", at.URL, reply, err)
					return
				}
			}
		})
	}
	wg.Wait()
	labels, _ := stored(ctx, r.t, path)["labels"].(map[string]any)
	r.t.Check(len(labels) == 1+each*len(r.at), "%d changes were answered with 200, and there are %d labels: %s", each*len(r.at), len(labels)-1, text(labels))
}

// pageInTurn takes each page from another replica.
func (r *replicas) pageInTurn(ctx context.Context) {
	const all, size = 25, 10
	label := r.t.Name("page")
	for i := range all {
		path := fmt.Sprintf("/routes/%s-%02d", label, all-1-i) // by name it is the other way round
		r.t.Track(path[1:])
		r.must(ctx, http.StatusCreated, put(path, route(r.t, fmt.Sprintf(`"labels":{%q:"x"},`, label))))
	}
	seen := map[string]bool{}
	for page := 1; page <= 3; page++ {
		reply := r.must(ctx, http.StatusOK, get(fmt.Sprintf("/routes?label=%s&page=%d&page_size=%d", label, page, size)))
		r.t.Check(text(reply.JSON()["total"]) == fmt.Sprint(all), "page %d: total is %s, want %d", page, text(reply.JSON()["total"]), all)
		list, _ := reply.JSON()["list"].([]any)
		for i, item := range list {
			id := fmt.Sprint(in(item, "value", "id"))
			want := fmt.Sprintf("%s-%02d", label, all-1-((page-1)*size+i))
			r.t.Check(id == want && !seen[id], "page %d has %s at place %d, want %s", page, strings.TrimPrefix(id, label), i, want)
			seen[id] = true
		}
	}
	r.t.Check(len(seen) == all, "three pages have %d objects, want %d", len(seen), all)
}
