package lbc

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/unilb/unilb/impl/store"
)

var errCrash = errors.New("crashed")

// TestAnyReplicaFinishesWhatAnotherBegan stops a replica before each step that a
// publication has, one after the other, and has another one finish it.
func TestAnyReplicaFinishesWhatAnotherBegan(t *testing.T) {
	for _, at := range []string{
		"put mappings", "wait for mappings", "put /apisix/upstreams/lbc.red", "put /apisix/services/lbc.shop.web",
		"put /apisix/routes/lbc.shop.web.all", "put listeners", "put VIPs", "finish",
	} {
		t.Run(at, func(t *testing.T) {
			t.Parallel()
			r := newRegion(t)
			r.node("l7gw", "bj/az1/l7-1", "/apisix", "/unilb/listeners")
			r.node("lbc-agent", "bj/az1/l7-1", "/unilb/vpc", "/unilb/l4")
			stopped := make(chan struct{})
			once := sync.OnceFunc(func() { close(stopped) })
			a := r.replica(nil, func(s *Service) {
				s.step = func(ctx context.Context, u unit, name string) error {
					if name == at {
						once()
						// As a process that is no more: it does nothing further.
						<-ctx.Done()
						return errCrash
					}
					return nil
				}
			})
			a.tenants()
			op := a.shop("shop", "red", "203.0.113.10", 80)
			<-stopped
			b := r.replica(nil, nil)
			if got := b.op(op.ID, "200ms"); got.State != statePublishing {
				t.Fatalf("got %+v while its replica hangs, want publishing", got)
			}
			a.stop()
			got := b.inForce(op)
			if got.Nodes != 2 {
				t.Errorf("got %d nodes, want 2", got.Nodes)
			}
			for _, key := range []string{"/apisix/routes/lbc.shop.web.all", "/unilb/listeners/shop.web", "/unilb/l4/vips/203.0.113.10"} {
				if _, ok := r.get(key, nil); !ok {
					t.Errorf("%s is missing", key)
				}
			}
		})
	}
}

func TestDeletionOfADeadReplicaHasARevision(t *testing.T) {
	t.Parallel()
	r := newRegion(t)
	gw := r.node("l7gw", "bj/az1/l7-1", "/apisix", "/unilb/listeners")
	stopped := make(chan struct{})
	once := sync.OnceFunc(func() { close(stopped) })
	deleted := false
	a := r.replica(nil, func(s *Service) {
		s.step = func(ctx context.Context, u unit, name string) error {
			if strings.HasPrefix(name, "delete /apisix/routes") {
				deleted = true
			} else if deleted && name == "finish" {
				once()
				<-ctx.Done()
				return errCrash
			}
			return nil
		}
	})
	a.tenants()
	a.inForce(a.shop("shop", "red", "203.0.113.10", 80))
	gw.hold()
	op := a.del("load-balancers/shop/listeners/web/rules/all")
	<-stopped
	a.stop()
	b := r.replica(nil, nil)
	r.until("operation is published", func() bool { return b.op(op.ID, "0s").State == statePublished })
	got := b.op(op.ID, "300ms")
	if got.InForce != 0 || got.Nodes != 1 || len(got.Behind) != 1 || got.Behind[0].Prefix != "/apisix" {
		t.Errorf("got %+v while the gateway still has the route, want 0 of 1", got)
	}
	gw.thaw()
	b.inForce(op)
}

func TestConcurrentEditIsRecompiledNotOverwritten(t *testing.T) {
	t.Parallel()
	r := newRegion(t)
	a := r.replica(nil, nil)
	a.tenants()
	op := a.shop("shop", "red", "203.0.113.10", 80)
	a.inForce(op)
	// Somebody edits the route between our compile and our write.
	var once sync.Once
	refused := make(chan int64, 1)
	r.mu.Lock()
	r.between = func(req *http.Request) {
		if req.Method != http.MethodPut || !strings.HasSuffix(req.URL.Path, "/routes/lbc.shop.web.all") {
			return
		}
		once.Do(func() {
			rev, err := r.st.Commit(context.Background(), nil, store.Op{
				Key:   "/apisix/routes/lbc.shop.web.all",
				Value: []byte(`{"id":"lbc.shop.web.all","uri":"/foreign","upstream_id":"lbc.red","labels":{"unilb.owner":"lbc"}}`),
			})
			if err != nil {
				t.Error(err)
			}
			refused <- rev
		})
	}
	r.mu.Unlock()
	a.inForce(a.put("load-balancers/shop/listeners/web/rules/all", `{"paths":["/new"],"target_group":"red"}`))
	foreign := <-refused
	r.answered("PUT /routes/lbc.shop.web.all 412", 1)
	var route apiRoute
	mod, _ := r.get("/apisix/routes/lbc.shop.web.all", &route)
	if mod <= foreign || len(route.URIs) != 1 || route.URIs[0] != "/new" {
		t.Errorf("got %+v at %d, want /new after the edit at %d", route, mod, foreign)
	}
}

// TestTwoReplicasAtOnce edits the same objects through two replicas side by side
// and compares what is published with what the model compiles to.
func TestTwoReplicasAtOnce(t *testing.T) {
	t.Parallel()
	r := newRegion(t)
	r.node("l7gw", "bj/az1/l7-1", "/apisix", "/unilb/listeners")
	replicas := []*replica{r.replica(nil, nil), r.replica(nil, nil)}
	replicas[0].tenants()
	replicas[0].shop("shop", "red", "203.0.113.10", 80)
	replicas[1].shop("mart", "red", "203.0.113.10", 81)
	var wg sync.WaitGroup
	var mu sync.Mutex
	var ops []Operation
	for i, rep := range replicas {
		wg.Go(func() {
			for n := range 15 {
				var op Operation
				switch n % 3 {
				case 0:
					op = rep.put("load-balancers/shop/listeners/web/rules/all", fmt.Sprintf(`{"paths":["/%d/%d"],"target_group":"red"}`, i, n))
				case 1:
					op = rep.put("target-groups/red", fmt.Sprintf(`{"tenant":"red","vpc":"red","targets":[{"ip":"192.168.0.10","port":%d}]}`, 8000+100*i+n))
				default:
					op = rep.put("load-balancers/mart/listeners/web", fmt.Sprintf(`{"protocol":"http","port":%d}`, 8100+100*i+n))
				}
				mu.Lock()
				ops = append(ops, op)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	for _, op := range ops {
		replicas[0].inForce(op)
	}
	assertPublished(t, r, replicas[0])
}

// assertPublished compares everything published with a compile of the model.
func assertPublished(t *testing.T, r *region, rep *replica) {
	t.Helper()
	var out Output
	rep.view(func(m *Model) { out = Compile(m, rep.hostZones()) })
	want := make(map[string][]byte)
	for _, list := range [][]Object{out.Mappings, out.Upstreams, out.Services, out.Routes, out.Listeners, out.VIPs} {
		for _, o := range list {
			want[o.Key] = o.Value
		}
	}
	checked := 0
	for _, dir := range []string{"/apisix/routes", "/apisix/services", "/apisix/upstreams", "/unilb/listeners", "/unilb/l4/vips", "/unilb/vpc/mappings"} {
		kvs, _, err := r.st.List(t.Context(), dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, kv := range kvs {
			if strings.HasSuffix(kv.Key, "/") || kv.Key == dirUpstreams+"/"+fenceID {
				continue
			}
			checked++
			if w, ok := want[kv.Key]; !ok {
				t.Errorf("%s is there and should not be", kv.Key)
			} else if !sameValue(kv.Value, w) {
				t.Errorf("%s: got %s, want %s", kv.Key, kv.Value, w)
			}
			delete(want, kv.Key)
		}
	}
	for key := range want {
		t.Errorf("%s is missing", key)
	}
	if checked == 0 {
		t.Error("nothing was compared")
	}
}

// TestStaleReplicaIsRefused holds a replica just before a write, lets another one
// publish a newer model, and then lets the first go on.
func TestStaleReplicaIsRefused(t *testing.T) {
	t.Parallel()
	r := newRegion(t)
	release, held := make(chan struct{}), make(chan struct{})
	once := sync.OnceFunc(func() { close(held) })
	var armed sync.Mutex
	on := false
	a := r.replica(nil, func(s *Service) {
		s.step = func(ctx context.Context, u unit, name string) error {
			armed.Lock()
			hold := on && name == "put /apisix/routes/lbc.shop.web.all"
			armed.Unlock()
			if hold {
				once()
				<-release
			}
			return nil
		}
	})
	a.tenants()
	a.inForce(a.shop("shop", "red", "203.0.113.10", 80))
	armed.Lock()
	on = true
	armed.Unlock()
	old := a.put("load-balancers/shop/listeners/web/rules/all", `{"paths":["/old"],"target_group":"red"}`)
	<-held
	b := r.replica(nil, nil)
	b.inForce(b.put("load-balancers/shop/listeners/web/rules/all", `{"paths":["/new"],"target_group":"red"}`))
	mod, _ := r.get("/apisix/routes/lbc.shop.web.all", nil)
	close(release)
	r.answered("PUT /routes/lbc.shop.web.all 412", 1)
	b.inForce(old)
	var route apiRoute
	after, _ := r.get("/apisix/routes/lbc.shop.web.all", &route)
	if after != mod || route.URIs[0] != "/new" {
		t.Errorf("got %v at revision %d, want /new, untouched since %d", route.URIs, after, mod)
	}
	assertPublished(t, r, b)
}

// TestWorkOfAKilledReplicaIsTakenOverWhenItsLeaseEnds ends a replica so that it
// can tell nobody.
func TestWorkOfAKilledReplicaIsTakenOverWhenItsLeaseEnds(t *testing.T) {
	t.Parallel()
	r := newRegion(t)
	stopped := make(chan struct{})
	once := sync.OnceFunc(func() { close(stopped) })
	a := r.replica(nil, func(s *Service) {
		s.step = func(ctx context.Context, _ unit, name string) error {
			if strings.HasPrefix(name, "put /apisix/upstreams") {
				once()
				<-ctx.Done()
				return errCrash
			}
			return nil
		}
	})
	op := a.put("target-groups/idc", `{"tenant":"t","targets":[{"ip":"10.9.0.1","port":80}]}`)
	<-stopped
	b := r.replica(nil, nil)
	_ = a.o.Etcd.Close() // it cannot give its lease back
	a.stop()
	b.inForce(op)
}

// A replica whose watch is behind must not take what it remembers for what there is.
func TestWhatAnotherReplicaHasReplacedIsWrittenAgain(t *testing.T) {
	t.Parallel()
	r := newRegion(t)
	r.node("l7gw", "bj/az1/l7-1", "/apisix", "/unilb/listeners")
	var s *Service
	a := r.replica(nil, func(of *Service) { s = of })
	a.tenants()
	a.inForce(a.shop("shop", "red", "203.0.113.10", 80))
	const key = "/apisix/upstreams/lbc.red"
	weighs := func(w int) {
		t.Helper()
		a.inForce(a.put("target-groups/red", fmt.Sprintf(`{"tenant":"red","vpc":"red","targets":[{"ip":"192.168.0.10","port":8080,"weight":%d}]}`, w)))
		var u struct{ Nodes []struct{ Weight int } }
		if _, ok := r.get(key, &u); !ok || len(u.Nodes) != 1 || u.Nodes[0].Weight != w {
			t.Fatalf("got nodes %+v in force, want one of weight %d", u.Nodes, w)
		}
	}
	weighs(1)
	old := s.apisix.get(key)
	weighs(2)
	mod, _ := r.get(key, nil)
	r.until("the replica knows what it wrote", func() bool { return s.apisix.get(key).mod == mod })
	s.apisix.mu.Lock()
	s.apisix.buckets[s.apisix.bucket(key)][key] = old // as if no event had come since
	s.apisix.mu.Unlock()
	weighs(1)
}
