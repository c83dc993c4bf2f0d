package cases

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"net/http"
	"net/netip"
	"slices"

	"github.com/unilb/unilb/conformance/spec"
)

// A tenantLB is what one tenant publishes through lbc-api: a load balancer with
// one HTTP listener, one rule and one target group.
type tenantLB struct {
	name    string // letters and digits, at most 6: it becomes part of ids
	tenant  string
	eip     netip.Addr
	port    uint16
	host    string
	vpc     string // empty: targets in the IDC
	targets []netip.AddrPort
}

// shortID makes an id for lbc-api, which allows 18 characters only.
func shortID(t *spec.T, name string) string {
	h := fnv.New32a()
	_, _ = h.Write([]byte(t.ID())) // never fails
	return fmt.Sprintf("c%08x-%s", h.Sum32(), name)
}

// publish writes the tenant's objects, in an order in which each refers only to
// what exists, waits until all are in force everywhere, and removes them after
// the case.
func publish(ctx context.Context, t *spec.T, lb tenantLB) {
	id := shortID(t, lb.name)
	var targets []map[string]any
	for _, a := range lb.targets {
		targets = append(targets, map[string]any{"ip": a.Addr().String(), "port": a.Port(), "weight": 1})
	}
	tg := map[string]any{"tenant": lb.tenant, "targets": targets}
	if lb.vpc != "" {
		tg["vpc"] = lb.vpc
	}
	base := "/v1/load-balancers/" + id
	writes := []struct {
		path   string
		object map[string]any
	}{
		{"/v1/target-groups/" + id, tg},
		{base, map[string]any{"tenant": lb.tenant, "address": lb.eip.String()}},
		{base + "/listeners/web", map[string]any{"protocol": "http", "port": lb.port}},
		{base + "/listeners/web/rules/all", map[string]any{"hosts": []string{lb.host}, "paths": []string{"/*"}, "target_group": id}},
	}
	var paths []string
	t.Cleanup(func(ctx context.Context) error { return withdraw(ctx, t.Env().API(), paths) })
	for _, w := range writes {
		body, err := json.Marshal(w.object)
		if err != nil {
			t.Brokenf("encode %s: %v", w.path, err)
		}
		paths = append(paths, w.path)
		if err := operate(ctx, t.Env().API(), spec.Call{Method: http.MethodPut, Path: w.path, Body: string(body)}); err != nil {
			t.Fatalf("%v", err)
		}
	}
}

// withdraw deletes objects, the last one first.
func withdraw(ctx context.Context, api spec.Endpoint, paths []string) error {
	for _, p := range slices.Backward(paths) {
		if err := operate(ctx, api, spec.Call{Method: http.MethodDelete, Path: p}); err != nil {
			return err
		}
	}
	return nil
}

// operate makes a call and waits until its operation is in force. Deleting what
// is not there is no error.
func operate(ctx context.Context, api spec.Endpoint, c spec.Call) error {
	r, err := api.Do(ctx, c)
	if err != nil {
		return err
	}
	if c.Method == http.MethodDelete && r.Status == http.StatusNotFound {
		return nil
	}
	if r.Status != http.StatusAccepted {
		return fmt.Errorf("%s %s: got %s, want 202", c.Method, c.Path, r)
	}
	for {
		op := r.JSON()
		switch op["state"] {
		case "in_force":
			return nil
		case "failed":
			return fmt.Errorf("%s %s: operation failed: %v", c.Method, c.Path, op["error"])
		}
		id, _ := op["id"].(string)
		if r, err = api.Do(ctx, spec.Call{Method: http.MethodGet, Path: "/v1/operations/" + id + "?wait=10s"}); err != nil {
			return fmt.Errorf("%s %s does not come into force: in force on %v of %v, behind %v: %w", c.Method, c.Path, op["in_force"], op["nodes"], op["behind"], err)
		}
		if r.Status != http.StatusOK {
			return fmt.Errorf("operation of %s %s: got %s, want 200", c.Method, c.Path, r)
		}
	}
}

// eip is the public address that belongs to a network.
func eip(t *spec.T, network string) spec.EIP {
	for _, e := range t.Env().EIPs() {
		if e.Network == network {
			return e
		}
	}
	t.Brokenf("no EIP for network %q among %v", network, t.Env().EIPs())
	return spec.EIP{}
}

// twoVPCs are the names of two networks with EIPs, in the order of the plan.
func twoVPCs(t *spec.T) (a, b spec.EIP) {
	var found []spec.EIP
	for _, e := range t.Env().EIPs() {
		if e.Network != "idc" {
			found = append(found, e)
		}
	}
	if len(found) < 2 {
		t.Brokenf("want EIPs for two VPCs, got %v", t.Env().EIPs())
	}
	return found[0], found[1]
}
