package lbc

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/unilb/unilb/impl/node"
	"github.com/unilb/unilb/impl/store"
)

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
