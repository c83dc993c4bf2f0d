package lbc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/unilb/unilb/impl/node"
	"github.com/unilb/unilb/impl/store"
	"github.com/unilb/unilb/impl/vpc"
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

func TestFrozenGatewayIsNamedAndTheRestCounted(t *testing.T) {
	t.Parallel()
	r := newRegion(t)
	for _, n := range []string{"l7-1", "l7-3", "l7-4"} {
		r.node("l7gw", "bj/az1/"+n, "/apisix", "/unilb/listeners")
	}
	frozen := r.node("l7gw", "bj/az1/l7-2", "/apisix", "/unilb/listeners")
	a, b := r.replica(nil, nil), r.replica(nil, nil)
	a.tenants()
	a.inForce(a.shop("shop", "red", "203.0.113.10", 80))
	frozen.freeze()
	op := a.put("load-balancers/shop/listeners/web/rules/more", `{"paths":["/more"],"target_group":"red"}`)
	for _, replica := range []*replica{a, b} {
		got := replica.op(op.ID, "1s")
		if got.State != statePublished || got.InForce != 3 || got.Nodes != 4 {
			t.Fatalf("got %+v, want published on 3 of 4", got)
		}
		if len(got.Behind) != 1 || got.Behind[0].Node != "bj/az1/l7-2" || got.Behind[0].State != nodeUnknown || got.Behind[0].Kind != "l7gw" {
			t.Errorf("got behind %+v, want bj/az1/l7-2 unknown", got.Behind)
		}
		if got.SlowestMS > 5000 {
			t.Errorf("got %d ms for nodes that answer, want much less", got.SlowestMS)
		}
		// Without a wait the rest is counted at once, too.
		if got := replica.op(op.ID, "0s"); got.InForce != 3 {
			t.Errorf("got %+v without a wait, want 3 of 4", got)
		}
	}
	// Draining takes it out of the count, and only that.
	r.setState(frozen, "draining")
	r.until("the drained node is not counted", func() bool {
		got := a.op(op.ID, "0s")
		return got.InForce == 3 && got.Nodes == 3
	})
	r.setState(frozen, "active")
	op = a.put("load-balancers/shop/listeners/web/rules/more", `{"paths":["/much"],"target_group":"red"}`)
	r.until("the node counts again", func() bool { return b.op(op.ID, "0s").Nodes == 4 })
	waited := make(chan Operation)
	go func() { waited <- b.op(op.ID, "15s") }()
	frozen.thaw()
	if got := <-waited; got.State != stateInForce || got.InForce != 4 || got.Nodes != 4 {
		t.Errorf("got %+v after the gateway went on, want 4 of 4", got)
	}
}

// setState writes the state of a node's registration, as an operator does.
func (r *region) setState(f *fakeNode, state string) {
	r.t.Helper()
	key := node.RegistryKey(f.kind, f.name)
	var reg map[string]any
	r.get(key, &reg)
	reg["state"] = state
	value, _ := json.Marshal(reg)
	if _, err := r.st.Commit(r.t.Context(), nil, store.Op{Key: key, Value: value}); err != nil {
		r.t.Fatal(err)
	}
}

func TestNodeThatAnswersIsBehindNotUnknown(t *testing.T) {
	t.Parallel()
	r := newRegion(t)
	r.node("l7gw", "bj/az1/l7-1", "/apisix")
	late := r.node("l7gw", "bj/az1/l7-2", "/apisix")
	late.hold()
	a := r.replica(nil, nil)
	op := a.put("target-groups/idc", `{"tenant":"t","targets":[{"ip":"10.9.0.1","port":80}]}`)
	got := a.op(op.ID, "1s")
	if got.InForce != 1 || len(got.Behind) != 1 || got.Behind[0].State != nodeBehind || got.Behind[0].Want != got.Revisions["/apisix"] {
		t.Errorf("got %+v, want bj/az1/l7-2 behind", got)
	}
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

func TestDriftIsRepaired(t *testing.T) {
	t.Parallel()
	r := newRegion(t)
	a := r.replica(nil, nil)
	a.tenants()
	a.inForce(a.shop("shop", "red", "203.0.113.10", 80))
	edits := []store.Op{
		{Key: "/apisix/routes/lbc.shop.web.all", Delete: true},
		{Key: "/apisix/routes/lbc.ghost.web.all", Value: []byte(`{"id":"lbc.ghost.web.all","uri":"/","upstream_id":"lbc.red","labels":{"unilb.owner":"lbc"}}`)},
		{Key: "/apisix/routes/lbc.foreign.web.all", Value: []byte(`{"id":"lbc.foreign.web.all","uri":"/","upstream_id":"lbc.red"}`)},
	}
	if _, err := r.st.Commit(t.Context(), nil, edits...); err != nil {
		t.Fatal(err)
	}
	r.until("what is ours is as the model says", func() bool {
		_, route := r.get("/apisix/routes/lbc.shop.web.all", nil)
		_, ghost := r.get("/apisix/routes/lbc.ghost.web.all", nil)
		return route && !ghost
	})
	if _, ok := r.get("/apisix/routes/lbc.foreign.web.all", nil); !ok {
		t.Error("an object without our label was deleted")
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

// TestMovingAdminAPIIsReachedAgain drops answers of the Admin API, as a VIP that
// moves does.
func TestMovingAdminAPIIsReachedAgain(t *testing.T) {
	t.Parallel()
	r := newRegion(t)
	var n int
	var mu sync.Mutex
	r.between = func(req *http.Request) {
		mu.Lock()
		n++
		drop := n%3 == 1
		mu.Unlock()
		if drop {
			panic(http.ErrAbortHandler)
		}
	}
	a := r.replica(nil, nil)
	a.tenants()
	a.inForce(a.shop("shop", "red", "203.0.113.10", 80))
	assertPublished(t, r, a)
}

func TestRefusalByTheAdminAPIFailsTheOperation(t *testing.T) {
	t.Parallel()
	r := newRegion(t)
	a := r.replica(func(o *Options) { o.AdminKey = "wrong" }, nil)
	op := a.put("target-groups/idc", `{"tenant":"t","targets":[{"ip":"10.9.0.1","port":80}]}`)
	got := a.op(op.ID, "10s")
	if got.State != stateFailed || !strings.Contains(got.Error, "401") {
		t.Fatalf("got %+v, want failed with the Admin API's answer", got)
	}
	a.stop()
	// Another replica with the right key repairs it when it becomes the keeper.
	b := r.replica(nil, nil)
	r.until("upstream is published", func() bool { _, ok := r.get("/apisix/upstreams/lbc.idc", nil); return ok })
	_ = b
}

func TestAbsentAgentDelaysOnlyByTheMappingWait(t *testing.T) {
	t.Parallel()
	r := newRegion(t)
	r.node("l7gw", "bj/az1/l7-1", "/apisix")
	agent := r.node("lbc-agent", "bj/az1/l7-1", "/unilb/vpc")
	agent.freeze()
	a := r.replica(nil, nil)
	begun := time.Now()
	a.tenants()
	op := a.put("target-groups/red", `{"tenant":"red","vpc":"red","targets":[{"ip":"192.168.0.10","port":9000}]}`)
	r.until("upstream has the target", func() bool {
		var u apiUpstream
		r.get("/apisix/upstreams/lbc.red", &u)
		return len(u.Nodes) == 1 && u.Nodes[0].Port == 9000
	})
	if d := time.Since(begun); d < a.o.MappingWait {
		t.Errorf("published after %s, want the mapping wait of %s before", d, a.o.MappingWait)
	}
	got := a.op(op.ID, "500ms")
	if got.InForce != 1 || got.Nodes != 2 || got.Behind[0].Kind != "lbc-agent" {
		t.Errorf("got %+v, want the agent behind", got)
	}
}

func TestAdminVIPIsWritten(t *testing.T) {
	t.Parallel()
	r := newRegion(t)
	vip, err := ParseAdminVIP("10.101.0.5:9180")
	if err != nil {
		t.Fatal(err)
	}
	a := r.replica(func(o *Options) { o.AdminVIP = vip }, nil)
	if err := a.EnsureAdminVIP(t.Context()); err != nil {
		t.Fatal(err)
	}
	kv, _, _, err := r.st.Get(t.Context(), "/unilb/l4/vips/10.101.0.5")
	if err != nil {
		t.Fatal(err)
	}
	var got, want any
	_ = json.Unmarshal(kv.Value, &got)
	_ = json.Unmarshal([]byte(`{"address":"10.101.0.5","pool":"l7admin","ports":[{"port":9180,"protocol":"tcp"}]}`), &want)
	if !equalJSON(got, want) {
		t.Errorf("got %s", kv.Value)
	}
	var refusal struct {
		ErrorMsg string `json:"error_msg"`
		Field    string `json:"field"`
	}
	if status, _ := a.do("PUT", "/v1/load-balancers/x", `{"tenant":"t","address":"10.101.0.5"}`, &refusal); status != http.StatusConflict || refusal.Field != "address" {
		t.Errorf("got %d %+v for a tenant's claim of the Admin API's address, want 409", status, refusal)
	}
}

// TestMappingFollowsAPortThatMovesMeanwhile moves a port between the moment a
// target group looked at it and the commit of its mapping.
func TestMappingFollowsAPortThatMovesMeanwhile(t *testing.T) {
	t.Parallel()
	r := newRegion(t)
	b := r.replica(nil, nil)
	var once sync.Once
	a := r.replica(nil, func(s *Service) {
		s.step = func(_ context.Context, u unit, name string) error {
			if name == "put mappings" && u.name == "red" {
				once.Do(func() {
					b.inForce(b.put("vpcs/red/ports/192.168.0.10", `{"mac":"02:00:00:00:0f:10","host":"bj/az2/host-7","vtep":"10.102.4.77","ifname":"g3"}`))
				})
			}
			return nil
		}
	})
	h := r.record()
	a.put("vpcs/red", `{"vni":1001,"cidr":"192.168.0.0/24"}`)
	a.put("vpcs/red/ports/192.168.0.10", `{"mac":"02:00:00:00:01:10","host":"bj/az1/host-1","vtep":"10.101.4.9","ifname":"g0"}`)
	a.inForce(a.put("target-groups/red", `{"tenant":"red","vpc":"red","targets":[{"ip":"192.168.0.10","port":8080}]}`))
	first := h.await("mapping comes", func(e event) bool { return e.key == "/unilb/vpc/mappings/100.64.0.1" })
	m, err := vpc.ParseMapping(first.kv)
	if err != nil || m.VTEP.String() != "10.102.4.77" {
		t.Errorf("got %+v, %v, want never any VTEP but that of the port's new host", m, err)
	}
}

// TestSharedVIPIsNotOverwrittenByAnOlderCompile holds a replica just before it
// writes a VIP, and lets another one add the port of another load balancer.
func TestSharedVIPIsNotOverwrittenByAnOlderCompile(t *testing.T) {
	t.Parallel()
	r := newRegion(t)
	b := r.replica(nil, nil)
	var once sync.Once
	var armed atomic.Bool
	a := r.replica(nil, func(s *Service) {
		s.step = func(_ context.Context, u unit, name string) error {
			if armed.Load() && name == "put VIPs" && u.name == "shop" {
				once.Do(func() { b.inForce(b.put("load-balancers/mart/listeners/new", `{"protocol":"http","port":8081}`)) })
			}
			return nil
		}
	})
	a.tenants()
	a.inForce(a.shop("shop", "red", "203.0.113.10", 80))
	a.inForce(a.put("load-balancers/mart", `{"tenant":"red","address":"203.0.113.10"}`))
	armed.Store(true)
	h := r.record()
	a.inForce(a.put("load-balancers/shop/listeners/new", `{"protocol":"http","port":8080}`))
	var ports string
	h.await("VIP with all ports", func(e event) bool {
		var vip wireVIP
		if e.key != "/unilb/l4/vips/203.0.113.10" || json.Unmarshal(e.kv, &vip) != nil {
			return false
		}
		ports += fmt.Sprint(vip.Ports)
		return len(vip.Ports) == 3
	})
	// The first write has both: b compiled it when the model had them.
	if want := "[{80 tcp} {8080 tcp} {8081 tcp}]"; ports != want {
		t.Errorf("got ports %s in this order, want %s at once", ports, want)
	}
	assertPublished(t, r, a)
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
