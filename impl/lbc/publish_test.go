package lbc

import (
	"testing"

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
