package static

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/unilb/unilb/conformance/model"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/history"
)

func TestAdminAnswersAsCasesExpect(t *testing.T) {
	s := Serve(NewStore(), "k")
	defer s.Close()
	long := strings.Repeat("x", 65)
	for _, c := range []struct {
		method, path, body string
		status             int
		says               string
		rev                int64
	}{
		{"GET", "/routes", "", 200, `"total":0`, 0},
		{"PUT", "/routes/a", `{"uri": "/a"}`, 201, `"key":"/apisix/routes/a"`, 2},
		{"PUT", "/routes/a", `{"uri": "/b"}`, 200, `"uri":"/b"`, 3},
		{"PUT", "/routes", `{"id": "b", "uri": "/b"}`, 201, "/apisix/routes/b", 4},
		{"PUT", "/routes/c", `{"uri": "/", "upstream_id": "u"}`, 400, "failed to fetch upstream info by upstream id [u]", 0},
		{"PUT", "/upstreams/u", `{"nodes": {"192.0.2.1:80": -1}}`, 400, "weight -1", 0},
		{"PUT", "/routes/c", `{"uri": "/", "script": "x"}`, 501, `no word for \"script\"`, 0},
		{"PUT", "/routes/c", `{`, 400, "invalid request body", 0},
		{"PUT", "/routes/" + long, `{"uri": "/"}`, 400, "id", 0},
		{"PUT", "/consumers/c", `{}`, 404, "Unsupported resource type: consumers", 0},
		{"PATCH", "/routes/a", `{"uri": null, "uris": ["/p"], "labels": {"x": "y"}}`, 200, `"value":{"labels":{"x":"y"},"uris":["/p"]}`, 5},
		{"PATCH", "/routes/a", `{"labels": {"z": "1"}}`, 200, `"labels":{"x":"y","z":"1"}`, 6},
		{"PATCH", "/routes/none", `{}`, 404, "Key not found", 0},
		{"POST", "/routes", `{}`, 405, "not supported", 0},
		{"GET", "/routes/a", "", 200, `"createdIndex":2`, 0},
		{"GET", "/routes", "", 200, `"total":2`, 0},
		{"DELETE", "/routes/a", "", 200, `"deleted":"1"`, 7},
		{"DELETE", "/routes/a", "", 404, "Key not found", 0},
	} {
		r, err := s.Endpoint().Do(t.Context(), spec.Call{Method: c.method, Path: c.path, Body: c.body})
		if err != nil {
			t.Fatal(err)
		}
		if r.Status != c.status || !strings.Contains(string(r.Body), c.says) || r.Revision != c.rev {
			t.Errorf("%s %s: got %s (revision %d), want %d with %q (revision %d)", c.method, c.path, r, r.Revision, c.status, c.says, c.rev)
		}
	}
	if r, err := s.Endpoint().Do(t.Context(), spec.Call{Method: http.MethodGet, Path: "/routes", NoKey: true}); err != nil || r.Status != 401 {
		t.Errorf("without a key: got %v, %v, want 401", r, err)
	}
	_ = s.Close()
	if _, err := s.Endpoint().Do(t.Context(), spec.Call{Method: http.MethodGet, Path: "/routes"}); err == nil {
		t.Error("a closed server answers")
	}
}

// nowhere is a place with a static Admin API and nothing else.
type nowhere struct {
	spec.Env
	admin *Server
}

func (n nowhere) Admin() spec.Endpoint      { return n.admin.Endpoint() }
func (nowhere) Recorder() *history.Recorder { return history.NewRecorder(history.NewClock()) }

func TestWhatTheDialectCannotSayIsNotTheGatewaysFailure(t *testing.T) {
	s := Serve(NewStore(), "k")
	defer s.Close()
	for body, want := range map[string]struct {
		broken, failed bool
		says           string
	}{
		`{"uri": "/", "script": "x"}`:       {true, false, `the driver's dialect has no word for "script": withdraw the claim of route.uri or route.vars`},
		`{"uri": "/", "upstream_id": "no"}`: {false, true, "got 400"},
	} {
		x := spec.NewT(nowhere{admin: s}, spec.Vars{ID: "x"})
		var wg sync.WaitGroup
		wg.Go(func() { // it ends its goroutine
			x.Prepare(t.Context(), spec.Case{Needs: []spec.Feature{spec.RouteURI, spec.RouteVars}, Objects: "-- routes/{{.ID}} --\n" + body})
		})
		wg.Wait()
		if r := x.Close(); r.Broken != want.broken || r.Failed != want.failed || len(r.Says) != 1 || !strings.Contains(r.Says[0], want.says) {
			t.Errorf("%s: got broken %v, failed %v, %q; want %v, %v, %q", body, r.Broken, r.Failed, r.Says, want.broken, want.failed, want.says)
		}
	}
}

// site remembers the revisions that it was asked for.
type site struct {
	mu    sync.Mutex
	revs  []int64
	takes time.Duration
	fail  func(objects []model.Object) error
}

func (s *site) configure(ctx context.Context, rev int64, objects []model.Object) error {
	s.mu.Lock()
	s.revs = append(s.revs, rev)
	s.mu.Unlock()
	select {
	case <-time.After(s.takes):
	case <-ctx.Done():
		return ctx.Err()
	}
	if s.fail != nil {
		return s.fail(objects)
	}
	return nil
}

func (s *site) rounds() []int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.revs)
}

func put(t *testing.T, s *Store, id, uri string) int64 {
	t.Helper()
	rev, _, err := s.Put(model.Routes, id, fmt.Appendf(nil, `{"uri": %q}`, uri))
	if err != nil {
		t.Fatal(err)
	}
	return rev
}

func TestWritesThatFollowEachOtherComeIntoForceTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, where := NewStore(), &site{takes: time.Second}
		a := NewApplier(store, where.configure)
		defer a.Close()
		var last int64
		for i := range 10 {
			last = put(t, store, fmt.Sprint(i), "/")
		}
		start := time.Now()
		if err := a.Wait(t.Context(), last); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took != time.Second {
			t.Errorf("somebody waited: got %v, want the second that one round takes", took)
		}
		if err := a.Wait(t.Context(), 0); err != nil || !slices.Equal(where.rounds(), []int64{last}) {
			t.Errorf("got %v, rounds at %v; want one at %d", err, where.rounds(), last)
		}
		put(t, store, "a", "/")
		<-time.After(Settle / 2)
		newest := put(t, store, "b", "/")
		<-time.After(2 * time.Second)
		if got := where.rounds(); !slices.Equal(got, []int64{last, newest}) {
			t.Errorf("nobody waited: rounds at %v, want %d and %d", got, last, newest)
		}
	})
}

func TestRevisionThatIsRefusedIsSaidAndTheNextOneIsTried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := NewStore()
		where := &site{fail: func(objects []model.Object) error {
			for _, o := range objects {
				if strings.Contains(string(o.Body), "bad") {
					return &spec.Refused{Node: "gw", Why: "it says no"}
				}
			}
			return nil
		}}
		a := NewApplier(store, where.configure)
		defer a.Close()
		good := put(t, store, "a", "/")
		bad := put(t, store, "b", "/bad")
		var refused *spec.Refused
		if err := a.Wait(t.Context(), bad); !errors.As(err, &refused) || !strings.Contains(err.Error(), "gw does not take the configuration: it says no") {
			t.Errorf("got %v, want that it was refused", err)
		}
		if err := a.Wait(t.Context(), good); !errors.As(err, &refused) {
			t.Errorf("an older write came with it: got %v", err)
		}
		rev, err := store.Delete(model.Routes, "b")
		if err != nil {
			t.Fatal(err)
		}
		if err := a.Wait(t.Context(), rev); err != nil {
			t.Errorf("after the bad one is gone: %v", err)
		}
	})
}

func TestWaitingEndsWithTheContextAndWithTheApplier(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, where := NewStore(), &site{takes: time.Hour}
		a := NewApplier(store, where.configure)
		rev := put(t, store, "a", "/")
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := a.Wait(ctx, rev); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want the deadline", err)
		}
		start := time.Now()
		if err := a.Wait(t.Context(), rev); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) > RoundTimeout {
			t.Errorf("got %v after %v, want that a round ends after %v", err, time.Since(start), RoundTimeout)
		}
		next := put(t, store, "b", "/")
		got := make(chan error, 1)
		go func() { got <- a.Wait(t.Context(), next) }()
		synctest.Wait()
		a.Close()
		if err := <-got; err == nil {
			t.Error("the applier ended, and the revision is in force")
		}
		if err := a.Wait(t.Context(), put(t, store, "c", "/")); err == nil {
			t.Error("an applier that has ended brings a revision into force")
		}
	})
}
