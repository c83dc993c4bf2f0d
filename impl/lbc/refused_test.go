package lbc

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/unilb/unilb/impl/node"
	"github.com/unilb/unilb/impl/store"
	"github.com/unilb/unilb/impl/vpc"
)

// TestNodeThatRefusesAnObjectDoesNotHaveItInForce: such a node reaches every
// revision, because it keeps the object's previous version and goes on.
func TestNodeThatRefusesAnObjectDoesNotHaveItInForce(t *testing.T) {
	t.Parallel()
	r := newRegion(t)
	r.node("l7gw", "bj/az1/l7-1", "/apisix", "/unilb/listeners")
	picky := r.node("l7gw", "bj/az1/l7-2", "/apisix", "/unilb/listeners")
	a := r.replica(nil, nil)
	a.tenants()
	for _, key := range []string{
		"/apisix/routes/lbc.shop.web.all", "/unilb/listeners/shop.web", "/unilb/l4/vips/203.0.113.10",
		"/apisix/routes/lbc.shop.web.other", // somebody else's trouble
	} {
		picky.Refuse(key, errors.New("too long"))
	}
	op := a.shop("shop", "red", "203.0.113.10", 80)
	for _, key := range []string{"/apisix/routes/lbc.shop.web.all", "/unilb/l4/vips/203.0.113.10", "/unilb/listeners/shop.web"} {
		got := a.op(op.ID, "2s")
		if got.State != statePublished || got.InForce != 1 || got.Nodes != 2 || len(got.Behind) != 1 {
			t.Fatalf("got %+v while a node refuses %s, want published on 1 of 2", got, key)
		}
		if b := got.Behind[0]; b.Node != "bj/az1/l7-2" || b.State != nodeRefused || b.Error != key+": too long" || b.Applied < b.Want || b.Want == 0 {
			t.Errorf("got behind %+v, want bj/az1/l7-2 to refuse %s", b, key)
		}
		picky.Accept(key)
	}
	if got := a.inForce(op); got.InForce != 2 {
		t.Errorf("got %+v after the node took everything over, want 2 of 2", got)
	}
	group := a.put("target-groups/red", `{"tenant":"red","vpc":"red","targets":[{"ip":"192.168.0.10","port":9000}]}`)
	a.inForce(group)
}

// TestMappingThatAnAgentRefusesIsNotInForce: which mapping a target group gets
// is not known before it is published.
func TestMappingThatAnAgentRefusesIsNotInForce(t *testing.T) {
	t.Parallel()
	r := newRegion(t)
	agent := r.node("lbc-agent", "bj/az1/l7-1", "/unilb/vpc")
	for _, key := range []string{"/unilb/vpc/mappings/100.64.0.1", "/unilb/vpc/mappings/100.64.0.2"} {
		agent.Refuse(key, errors.New("the guest is taken"))
	}
	a := r.replica(nil, nil)
	a.tenants()
	op := a.put("target-groups/red", `{"tenant":"red","vpc":"red","targets":[{"ip":"192.168.0.10","port":9000}]}`)
	got := a.op(op.ID, "3s")
	if got.State != statePublished || len(got.Behind) != 1 || got.Behind[0].State != nodeRefused || !strings.Contains(got.Behind[0].Error, "the guest is taken") {
		t.Errorf("got %+v, want the agent to refuse the mapping", got)
	}
}

// TestReportTellsWhatAStatusListenerDoesNot has a node whose answers name no
// errors, and a report that does.
func TestReportTellsWhatAStatusListenerDoesNot(t *testing.T) {
	t.Parallel()
	r := newRegion(t)
	const far = 1 << 40
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]any{"node": "bj/az1/x", "applied": map[string]int64{"/apisix": far}})
	}))
	t.Cleanup(srv.Close)
	r.register(node.Registration{Name: "bj/az1/x", Kind: "l7gw", Status: srv.URL, Watches: []string{"/apisix"}})
	report := func(applied int64) {
		t.Helper()
		value, _ := json.Marshal(node.Report{
			Name: "bj/az1/x", Kind: "l7gw", Applied: map[string]int64{"/apisix": applied},
			Errors: []node.ObjectError{{Key: "/apisix/upstreams/lbc.idc", Error: "unknown scheme"}},
		})
		if _, err := r.st.Commit(t.Context(), nil, store.Op{Key: node.ReportKey("l7gw", "bj/az1/x"), Value: value}); err != nil {
			t.Fatal(err)
		}
	}
	report(far)
	a := r.replica(nil, nil)
	op := a.put("target-groups/idc", `{"tenant":"t","targets":[{"ip":"10.9.0.1","port":80}]}`)
	got := a.op(op.ID, "2s")
	if len(got.Behind) != 1 || got.Behind[0].State != nodeRefused || !strings.Contains(got.Behind[0].Error, "unknown scheme") {
		t.Errorf("got %+v, want the node to refuse the upstream", got)
	}
	report(1) // of the time before the operation: it says nothing about it
	a.inForce(op)
}

// TestFrozenHostDelaysNoPublication: hosts follow networks and ports, and no
// mapping matters to them.
func TestFrozenHostDelaysNoPublication(t *testing.T) {
	t.Parallel()
	r := newRegion(t)
	r.node("l7gw", "bj/az1/l7-1", "/apisix", "/unilb/listeners")
	r.node("lbc-agent", "bj/az1/l7-1", "/unilb/vpc", "/unilb/l4")
	r.node("host", "bj/az1/host-1", "/unilb/vpc").freeze()
	a := r.replica(func(o *Options) { o.MappingWait = testDeadline }, nil)
	h := r.record()
	a.tenants()
	begun := time.Now()
	a.put("target-groups/red", `{"tenant":"red","vpc":"red","targets":[{"ip":"192.168.0.10","port":9000}]}`)
	r.until("upstream has the target", func() bool {
		var u apiUpstream
		r.get("/apisix/upstreams/lbc.red", &u)
		return len(u.Nodes) == 1 && u.Nodes[0].Port == 9000
	})
	if d := time.Since(begun); d > a.o.MappingWait/2 {
		t.Errorf("published after %s, want no wait for a host", d)
	}
	// Nor does it hold up the end of a quarantine.
	var u apiUpstream
	r.get("/apisix/upstreams/lbc.red", &u)
	unique := u.Nodes[0].Host
	a.del("target-groups/red")
	h.await("quarantine begins", inState(unique, vpc.Quarantine))
	h.await("quarantine ends", inState(unique, vpc.Free))
}

// TestOperationThatWaitsSaysWhy deletes a target group whose upstream a route of
// somebody else uses.
func TestOperationThatWaitsSaysWhy(t *testing.T) {
	t.Parallel()
	r := newRegion(t)
	a := r.replica(nil, nil)
	a.inForce(a.put("target-groups/idc", `{"tenant":"t","targets":[{"ip":"10.9.0.1","port":80}]}`))
	const foreign = "/apisix/routes/foreign"
	if _, err := r.st.Commit(t.Context(), nil, store.Op{Key: foreign, Value: []byte(`{"id":"foreign","uri":"/","upstream_id":"lbc.idc"}`)}); err != nil {
		t.Fatal(err)
	}
	op := a.del("target-groups/idc")
	r.soon("the operation says what it waits for", func() bool {
		got := a.op(op.ID, "0s")
		return got.State == statePublishing && strings.Contains(got.Error, "foreign")
	})
	if _, err := r.st.Commit(t.Context(), nil, store.Op{Key: foreign, Delete: true}); err != nil {
		t.Fatal(err)
	}
	if got := a.inForce(op); got.Error != "" {
		t.Errorf("got error %q in force, want none", got.Error)
	}
}

// TestVPCWhoseAddressDrainsSaysWhenToTryAgain: what holds it is nothing that
// anybody could delete.
func TestVPCWhoseAddressDrainsSaysWhenToTryAgain(t *testing.T) {
	t.Parallel()
	r := newRegion(t)
	a := r.replica(func(o *Options) { o.Drain = time.Hour }, nil)
	a.tenants()
	a.inForce(a.put("target-groups/red", `{"tenant":"red","vpc":"red","targets":[{"ip":"192.168.0.10","port":9000}]}`))
	h := r.record()
	a.inForce(a.del("target-groups/red"))
	a.inForce(a.del("vpcs/red/ports/192.168.0.10"))
	h.await("drain has an end", func(e event) bool {
		return strings.HasPrefix(e.key, addressPrefix) && strings.Contains(string(e.kv), `"until"`)
	})
	r.soon("the refusal says when", func() bool {
		var got refusal
		status, _ := a.do("DELETE", "/v1/vpcs/red", "", &got)
		return status == http.StatusConflict && strings.Contains(got.ErrorMsg, "is draining until 20") &&
			strings.Contains(got.ErrorMsg, "try again then") && !strings.Contains(got.ErrorMsg, "delete")
	})
	for method, body := range map[string]string{"PUT": `{"vni":7,"cidr":"192.168.0.0/24"}`, "DELETE": ""} {
		var got refusal
		if status, _ := a.do(method, "/v1/vpcs/red", body, &got); status != http.StatusConflict || !strings.Contains(got.ErrorMsg, "is draining until") {
			t.Errorf("%s: got %d %+v, want that it drains", method, status, got)
		}
	}
}
