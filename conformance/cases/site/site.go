// Package site owns what cases publish as tenants do, through lbc-api: load
// balancers with listeners, rules and target groups. It needs the capability
// spec.Region. Nothing here keeps state; safe for use by one case at a time.
package site

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"net/http"
	"net/netip"
	"slices"

	"github.com/unilb/unilb/conformance/spec"
)

// An LB is what one tenant publishes through lbc-api: a load balancer with
// one HTTP listener, one rule and one target group.
type LB struct {
	Name     string // letters and digits, at most 6: it becomes part of ids
	Tenant   string
	EIP      netip.Addr
	Protocol string // http when empty
	Port     uint16
	Host     string
	VPC      string // empty: targets in the IDC
	Targets  []netip.AddrPort
}

// ShortID makes an id for lbc-api, which allows 18 characters only.
func ShortID(t *spec.T, name string) string {
	h := fnv.New32a()
	_, _ = h.Write([]byte(t.ID())) // never fails
	return fmt.Sprintf("c%08x-%s", h.Sum32(), name)
}

// Publish writes the tenant's objects, in an order in which each refers only to
// what exists, waits until all are in force everywhere, and removes them after
// the case.
func Publish(ctx context.Context, t *spec.T, lb LB) {
	id := ShortID(t, lb.Name)
	base := "/v1/load-balancers/" + id
	writes := []struct {
		path   string
		object map[string]any
	}{
		{"/v1/target-groups/" + id, lb.targetGroup()},
		{base, map[string]any{"tenant": lb.Tenant, "address": lb.EIP.String()}},
		{base + "/listeners/web", map[string]any{"protocol": cmp.Or(lb.Protocol, "http"), "port": lb.Port}},
		{base + "/listeners/web/rules/all", map[string]any{"hosts": []string{lb.Host}, "paths": []string{"/*"}, "target_group": id}},
	}
	var paths []string
	t.Cleanup(func(ctx context.Context) error { return Withdraw(ctx, t.Env().API(), paths) })
	for _, w := range writes {
		body, err := json.Marshal(w.object)
		if err != nil {
			t.Brokenf("encode %s: %v", w.path, err)
		}
		paths = append(paths, w.path)
		if err := Operate(ctx, t.Env().API(), spec.Call{Method: http.MethodPut, Path: w.path, Body: string(body)}); err != nil {
			t.Fatalf("%v", err)
		}
	}
}

// To is where clients find it.
func (lb LB) To() netip.AddrPort { return netip.AddrPortFrom(lb.EIP, lb.Port) }

func (lb LB) targetGroup() map[string]any {
	targets := []map[string]any{}
	for _, a := range lb.Targets {
		targets = append(targets, map[string]any{"ip": a.Addr().String(), "port": a.Port(), "weight": 1})
	}
	tg := map[string]any{"tenant": lb.Tenant, "targets": targets}
	if lb.VPC != "" {
		tg["vpc"] = lb.VPC
	}
	return tg
}

// Retarget gives a published load balancer the targets that lb has now, through
// one lbc-api, and waits until that is in force everywhere.
func Retarget(ctx context.Context, t *spec.T, api spec.Endpoint, lb LB) error {
	c, err := lb.retargeting(t)
	if err != nil {
		return err
	}
	return Operate(ctx, api, c)
}

// Begin is Retarget without waiting; the answer has the operation.
func Begin(ctx context.Context, t *spec.T, api spec.Endpoint, lb LB) (spec.Reply, error) {
	c, err := lb.retargeting(t)
	if err != nil {
		return spec.Reply{}, err
	}
	return api.Do(ctx, c)
}

func (lb LB) retargeting(t *spec.T) (spec.Call, error) {
	body, err := json.Marshal(lb.targetGroup())
	if err != nil {
		return spec.Call{}, fmt.Errorf("encode the target group of %s: %w", lb.Name, err)
	}
	return spec.Call{Method: http.MethodPut, Path: "/v1/target-groups/" + ShortID(t, lb.Name), Body: string(body)}, nil
}

// Unpublish withdraws a published load balancer, all of it.
func Unpublish(ctx context.Context, t *spec.T, lb LB) error {
	id := ShortID(t, lb.Name)
	base := "/v1/load-balancers/" + id
	return Withdraw(ctx, t.Env().API(), []string{"/v1/target-groups/" + id, base, base + "/listeners/web", base + "/listeners/web/rules/all"})
}

// Withdraw deletes objects, the last one first.
func Withdraw(ctx context.Context, api spec.Endpoint, paths []string) error {
	for _, p := range slices.Backward(paths) {
		if err := Operate(ctx, api, spec.Call{Method: http.MethodDelete, Path: p}); err != nil {
			return err
		}
	}
	return nil
}

// Operate makes a call and waits until its operation is in force. Deleting what
// is not there is no error.
func Operate(ctx context.Context, api spec.Endpoint, c spec.Call) error {
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

// EIP is the public address that belongs to a network.
func EIP(t *spec.T, network string) spec.EIP {
	for _, e := range t.Env().EIPs() {
		if e.Network == network {
			return e
		}
	}
	t.Brokenf("no EIP for network %q among %v", network, t.Env().EIPs())
	return spec.EIP{}
}

// TwoVPCs are the names of two networks with EIPs, in the order of the plan.
func TwoVPCs(t *spec.T) (a, b spec.EIP) {
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
