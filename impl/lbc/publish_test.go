package lbc

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/unilb/unilb/impl/store"
	"github.com/unilb/unilb/impl/vpc"
)

func TestPublicationGoesUpInOrder(t *testing.T) {
	t.Parallel()
	r := newRegion(t)
	r.node("l7gw", "bj/az1/l7-1", "/apisix", "/unilb/listeners")
	r.node("lbc-agent", "bj/az1/l7-1", "/unilb/vpc", "/unilb/l4")
	r.node("l4lb", "bj/az1/l4-1", "/unilb/l4")
	a := r.replica(nil, nil)
	a.tenants()
	op := a.inForce(a.shop("shop", "red", "203.0.113.10", 80))
	if op.Nodes != 3 || op.InForce != 3 || len(op.Behind) != 0 {
		t.Errorf("got %d of %d nodes, behind %v; want 3 of 3", op.InForce, op.Nodes, op.Behind)
	}
	var mapping vpc.Mapping
	var order []int64
	for _, key := range []string{
		"/unilb/vpc/mappings/100.64.0.1", "/apisix/upstreams/lbc.red", "/apisix/services/lbc.shop.web",
		"/apisix/routes/lbc.shop.web.all", "/unilb/listeners/shop.web", "/unilb/l4/vips/203.0.113.10",
	} {
		mod, ok := r.get(key, nil)
		if !ok {
			t.Fatalf("%s is missing", key)
		}
		order = append(order, mod)
	}
	// The listener exists before there is a rule, so its order against the
	// rule's route is not fixed by one publication.
	for i, pair := range [][2]int{{0, 1}, {1, 3}, {2, 3}, {4, 5}} {
		if order[pair[0]] >= order[pair[1]] {
			t.Errorf("order %d: revisions %v, want %d before %d", i, order, pair[0], pair[1])
		}
	}
	r.get("/unilb/vpc/mappings/100.64.0.1", &mapping)
	if mapping.VPC != "red" && mapping.VPC != "blue" || mapping.Generation != 1 {
		t.Errorf("got mapping %+v", mapping)
	}
	var red, blue vpc.Mapping
	r.get("/unilb/vpc/mappings/100.64.0.1", &red)
	r.get("/unilb/vpc/mappings/100.64.0.2", &blue)
	if red.VPCIP != blue.VPCIP || red.VNI == blue.VNI {
		t.Errorf("got mappings %+v and %+v, want one guest address in two VPCs", red, blue)
	}
	if want := op.Revisions["/unilb/vpc"]; want == 0 || op.Revisions["/apisix"] == 0 {
		t.Errorf("got revisions %v, want /apisix and /unilb/vpc among them", op.Revisions)
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
