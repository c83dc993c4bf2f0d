package lbc

import (
	"context"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"

	"github.com/unilb/unilb/impl/vpc"
)

// history records at which revision keys came and went.
type history struct {
	t    *testing.T
	seen chan event
	past []event
}

type event struct {
	key  string
	rev  int64
	gone bool
	at   time.Time
	kv   []byte
}

// record begins a history. It watches etcd itself: the store tells only the
// newest of several versions, and not when a key went.
func (r *region) record() *history {
	r.t.Helper()
	client, err := clientv3.New(clientv3.Config{Endpoints: []string{r.etcd.Endpoint()}, Logger: zap.NewNop()})
	if err != nil {
		r.t.Fatal(err)
	}
	h := &history{t: r.t, seen: make(chan event, 10000)}
	ctx, cancel := context.WithCancel(context.Background())
	events := client.Watch(ctx, "/", clientv3.WithPrefix(), clientv3.WithCreatedNotify())
	<-events
	done := make(chan struct{})
	go func() {
		defer close(done)
		for answer := range events {
			for _, e := range answer.Events {
				h.seen <- event{
					key: string(e.Kv.Key), rev: e.Kv.ModRevision, at: time.Now(), kv: e.Kv.Value,
					gone: e.Type == clientv3.EventTypeDelete,
				}
			}
		}
	}()
	r.t.Cleanup(func() {
		cancel()
		<-done
		_ = client.Close()
	})
	return h
}

// await returns the first recorded event that matches.
func (h *history) await(what string, match func(event) bool) event {
	h.t.Helper()
	for _, e := range h.past {
		if match(e) {
			return e
		}
	}
	deadline := time.After(testDeadline)
	for {
		select {
		case e := <-h.seen:
			h.past = append(h.past, e)
			if match(e) {
				return e
			}
		case <-deadline:
			h.t.Fatalf("%s: not after %s", what, testDeadline)
		}
	}
}

func gone(key string) func(event) bool {
	return func(e event) bool { return e.gone && e.key == key }
}

func inState(unique string, s vpc.State) func(event) bool {
	return func(e event) bool {
		if e.gone || e.key != addressPrefix+unique {
			return false
		}
		a, err := vpc.ParseAddress(e.kv)
		return err == nil && a.State == s
	}
}

// commitSlack is what a commit and its watch may take off a time.
const commitSlack = 300 * time.Millisecond

func TestWithdrawalGoesDownInOrder(t *testing.T) {
	t.Parallel()
	r := newRegion(t)
	r.node("l7gw", "bj/az1/l7-1", "/apisix", "/unilb/listeners")
	r.node("lbc-agent", "bj/az1/l7-1", "/unilb/vpc", "/unilb/l4")
	// Longer than a gateway takes to report.
	a := r.replica(func(o *Options) { o.Drain, o.Quarantine = 1500*time.Millisecond, 1600*time.Millisecond }, nil)
	a.tenants()
	a.inForce(a.shop("shop", "red", "203.0.113.10", 80))
	unique := "100.64.0.1"
	var m vpc.Mapping
	r.get("/unilb/vpc/mappings/"+unique, &m)
	tg := m.VPC // whichever was published first

	h := r.record()
	a.inForce(a.del("load-balancers/shop/listeners/web/rules/all"))
	a.inForce(a.del("load-balancers/shop/listeners/web"))
	a.inForce(a.del("load-balancers/shop"))
	a.inForce(a.del("target-groups/" + tg))
	h.await("route goes", gone("/apisix/routes/lbc.shop.web.all"))
	vip := h.await("VIP goes", gone("/unilb/l4/vips/203.0.113.10"))
	listener := h.await("listener goes", gone("/unilb/listeners/shop.web"))
	service := h.await("service goes", gone("/apisix/services/lbc.shop.web"))
	upstream := h.await("upstream goes", gone("/apisix/upstreams/lbc."+tg))
	drained := h.await("mapping goes", gone("/unilb/vpc/mappings/"+unique))
	if vip.rev >= listener.rev || listener.rev >= service.rev || upstream.rev >= drained.rev {
		t.Errorf("got VIP %d, listener %d, service %d, upstream %d, mapping %d; want this order", vip.rev, listener.rev, service.rev, upstream.rev, drained.rev)
	}
	if d := drained.at.Sub(upstream.at); d < a.o.Drain-commitSlack {
		t.Errorf("the mapping went %s after the upstream, want at least the drain time %s", d, a.o.Drain)
	}
	freed := h.await("address is free", inState(unique, vpc.Free))
	if d := freed.at.Sub(drained.at); d < a.o.Quarantine-commitSlack {
		t.Errorf("the address was free %s after its mapping went, want at least the quarantine %s", d, a.o.Quarantine)
	}

	// The other tenant gets the address, in a new generation.
	other := map[string]string{"red": "blue", "blue": "red"}[tg]
	a.put("vpcs/"+other+"/ports/192.168.0.11", `{"mac":"02:00:00:00:09:11","host":"bj/az1/host-2","vtep":"10.101.4.20","ifname":"g1"}`)
	a.inForce(a.put("target-groups/next", `{"tenant":"t","vpc":"`+other+`","targets":[{"ip":"192.168.0.11","port":80}]}`))
	r.get("/unilb/vpc/mappings/"+unique, &m)
	if m.VPC != other || m.Generation != 2 {
		t.Errorf("got mapping %+v, want %s's in generation 2", m, other)
	}
	var u apiUpstream
	r.get("/apisix/upstreams/lbc.next", &u)
	if len(u.Nodes) != 1 || u.Nodes[0].Host != unique || u.Nodes[0].Metadata.Unilb.Generation != 2 {
		t.Errorf("got upstream nodes %+v, want %s in generation 2", u.Nodes, unique)
	}
}

func TestMappingStaysUntilEveryGatewayForgotIt(t *testing.T) {
	t.Parallel()
	r := newRegion(t)
	r.node("l7gw", "bj/az1/l7-1", "/apisix")
	slow := r.node("l7gw", "bj/az1/l7-2", "/apisix")
	agent := r.node("lbc-agent", "bj/az1/l7-1", "/unilb/vpc")
	a := r.replica(nil, nil)
	a.tenants()
	for _, tg := range []string{"red", "blue"} {
		a.inForce(a.put("target-groups/"+tg, `{"tenant":"`+tg+`","vpc":"`+tg+`","targets":[{"ip":"192.168.0.10","port":8081}]}`))
	}
	slow.freeze()
	h := r.record()
	op := a.del("target-groups/red")
	h.await("upstream goes", gone("/apisix/upstreams/lbc.red"))
	var record vpc.Address
	draining := h.await("address drains", func(e event) bool {
		if e.gone || len(e.key) < len(addressPrefix) || e.key[:len(addressPrefix)] != addressPrefix {
			return false
		}
		var err error
		record, err = vpc.ParseAddress(e.kv)
		return err == nil && record.State == vpc.Draining
	})
	key := vpc.MappingKey(record.UniqueIP)
	// Much longer than drain and quarantine together: an event that must not come
	// can only be waited for.
	got := a.op(op.ID, "1500ms")
	if got.State != statePublished || got.InForce != 2 || got.Nodes != 3 {
		t.Errorf("got %+v, want published on 2 of 3", got)
	}
	if _, ok := r.get(key, nil); !ok {
		t.Fatal("the mapping went while a gateway may still use it")
	}
	agent.freeze()
	slow.thaw()
	h.await("mapping goes", gone(key))
	if _, ok := r.get(key, nil); ok {
		t.Fatal("the mapping is there")
	}
	// The agent still forwards to the old owner: nobody may get the address.
	if got := a.op(op.ID, "1s"); got.State != stateInForce {
		t.Errorf("got %+v, want in force after the gateway went on", got)
	}
	waiting := a.put("vpcs/green", `{"vni":1003,"cidr":"10.0.0.0/24"}`)
	if got := a.op(waiting.ID, "1s"); got.InForce != 0 || got.Nodes != 1 { // far longer than the quarantine
		t.Errorf("got %+v, want nothing from a frozen agent", got)
	}
	r.get(addressPrefix+record.UniqueIP.String(), &record)
	if record.State != vpc.Quarantine {
		t.Errorf("got state %s while an agent has not seen the deletion, want quarantine", record.State)
	}
	agent.thaw()
	h.await("address is free", inState(record.UniqueIP.String(), vpc.Free))
	if draining.rev == 0 {
		t.Error("no draining event")
	}
}

func TestDrainingAddressComesBackToItsOwner(t *testing.T) {
	t.Parallel()
	r := newRegion(t)
	slow := r.node("l7gw", "bj/az1/l7-1", "/apisix")
	a := r.replica(nil, nil)
	a.tenants()
	a.inForce(a.put("target-groups/red", `{"tenant":"red","vpc":"red","targets":[{"ip":"192.168.0.10","port":8081}]}`))
	var before, after apiUpstream
	r.get("/apisix/upstreams/lbc.red", &before)
	slow.freeze()
	h := r.record()
	a.put("target-groups/red", `{"tenant":"red","vpc":"red","targets":[]}`)
	h.await("address drains", inState(before.Nodes[0].Host, vpc.Draining))
	a.put("target-groups/red", `{"tenant":"red","vpc":"red","targets":[{"ip":"192.168.0.10","port":8081}]}`)
	h.await("address is active", inState(before.Nodes[0].Host, vpc.Active))
	slow.thaw()
	r.until("upstream has its node", func() bool {
		after = apiUpstream{}
		r.get("/apisix/upstreams/lbc.red", &after)
		return len(after.Nodes) == 1
	})
	if after.Nodes[0].Host != before.Nodes[0].Host || after.Nodes[0].Metadata.Unilb.Generation != 1 {
		t.Errorf("got %+v, want the address and generation as before: %+v", after.Nodes[0], before.Nodes[0])
	}
}
