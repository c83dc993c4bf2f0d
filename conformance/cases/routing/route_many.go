package routing

import (
	"context"
	"fmt"
	"net/http"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that has a limit on routes, or whose index loses some when
// many share a beginning.
var routeMany = spec.Case{
	ID: "ROUTE-MANY", Level: spec.Must, Needs: []spec.Feature{spec.RouteURI},
	Title:    "Of 300 routes on one host each is found by its own path, and no other path is.",
	Refs:     []string{"APISIX 3.18 router radixtree_host_uri"},
	After:    []string{"ROUTE-EXACT-OVER-PREFIX", "ROUTE-PREFIX-LONGEST"},
	Backends: manyBackends,
	Run: func(ctx context.Context, t *spec.T) {
		var objects []string
		var asks []ask.Expect
		for i := range manyRoutes {
			// By threes: an exact path, a prefix, and a longer prefix inside that one.
			uri, target, why := fmt.Sprintf("/many/%d", i), fmt.Sprintf("/many/%d", i), "an exact path"
			switch i % 3 {
			case 1:
				uri, target, why = fmt.Sprintf("/many/%d/*", i), fmt.Sprintf("/many/%d/x", i), "a prefix"
			case 2:
				uri, target, why = fmt.Sprintf("/many/%d/own*", i-1), fmt.Sprintf("/many/%d/own", i-1), "a longer prefix"
			}
			backend := i * 7 % manyBackends // neighbours differ
			objects = append(objects, t.Render(fmt.Sprintf(`{"host": "{{.Host}}", "uri": "%s", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends %d}}": 1}}}`, uri, backend)))
			asks = append(asks, ask.Expect{Host: t.Host(), Target: target, Want: backend, Why: why})
		}
		asks = append(asks,
			ask.Expect{Host: t.Host(), Target: "/many/300", Want: ask.None, Why: "one too far"},
			ask.Expect{Host: t.Host(), Target: "/many/1", Want: ask.None, Why: "the prefix goes on with a slash"},
			ask.Expect{Host: t.Host(), Target: "/many/", Want: ask.None, Why: "only their beginning"},
			ask.Expect{Host: t.Host(), Target: "/many/02", Want: ask.None, Why: "another spelling of a number"},
		)
		writeMany(ctx, t, objects)
		ask.Route(ctx, t, asks...)
	},
}

const (
	manyRoutes   = 300
	manyBackends = 16
	manyAtOnce   = 16 // calls of the Admin API
)

// writeMany writes routes several at a time, waits until all are in force, and
// removes them in the same way after the case.
func writeMany(ctx context.Context, t *spec.T, objects []string) {
	path := func(i int) string { return fmt.Sprintf("/routes/%s-%d", t.ID(), i) }
	t.Cleanup(func(ctx context.Context) error {
		rev, err := callMany(ctx, t, len(objects), func(i int) spec.Call { return spec.Call{Method: http.MethodDelete, Path: path(i)} })
		if err != nil {
			return err
		}
		return t.Env().Applied(ctx, rev)
	})
	rev, err := callMany(ctx, t, len(objects), func(i int) spec.Call {
		return spec.Call{Method: http.MethodPut, Path: path(i), Body: objects[i]}
	})
	if err != nil {
		t.Fatalf("%v", err)
	}
	if err := t.Env().Applied(ctx, rev); err != nil {
		t.Fatalf("revision %d does not come into force: %v", rev, err)
	}
}

// callMany makes calls that must succeed, or find nothing to delete, and returns
// the newest revision.
func callMany(ctx context.Context, t *spec.T, n int, call func(i int) spec.Call) (int64, error) {
	var mu sync.Mutex
	var newest int64
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(manyAtOnce)
	for i := range n {
		g.Go(func() error {
			c := call(i)
			r, err := t.Env().Admin().Do(ctx, c)
			missing := c.Method == http.MethodDelete && r.Status == http.StatusNotFound
			if err == nil && r.Status != http.StatusOK && r.Status != http.StatusCreated && !missing {
				err = fmt.Errorf("%s %s: got %s, want 200 or 201", c.Method, c.Path, r)
			}
			mu.Lock()
			newest = max(newest, r.Revision)
			mu.Unlock()
			return err
		})
	}
	err := g.Wait()
	return newest, err
}
