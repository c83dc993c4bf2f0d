package lbc

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/unilb/unilb/impl/node"
	"github.com/unilb/unilb/impl/store"
)

// register writes a registration without a node behind it.
func (r *region) register(reg node.Registration) {
	r.t.Helper()
	value, err := json.Marshal(reg)
	if err == nil {
		_, err = r.st.Commit(r.t.Context(), nil, store.Op{Key: node.RegistryKey(reg.Kind, reg.Name), Value: value})
	}
	if err != nil {
		r.t.Fatal(err)
	}
}

// soon waits for a condition that etcd's revisions do not tell: what a replica
// knows follows them in its own time.
func (r *region) soon(what string, ok func() bool) {
	r.t.Helper()
	deadline := time.After(testDeadline)
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for !ok() {
		select {
		case <-look.C:
		case <-deadline:
			r.t.Fatalf("%s: not after %s", what, testDeadline)
		}
	}
}

// TestAddressesOfTheSystemBelongToNoTenant: as an EIP such an address would be
// put on every gateway, and as a target it would be reachable from the internet.
func TestAddressesOfTheSystemBelongToNoTenant(t *testing.T) {
	t.Parallel()
	r := newRegion(t)
	r.register(node.Registration{
		Name: "bj/az1/l7-1", Kind: "l7gw", Underlay: netip.MustParseAddr("10.101.4.3"), Member: netip.MustParseAddr("100.127.0.1"),
		Status: "http://10.101.9.3:9092",
	})
	r.register(node.Registration{Name: "bj/az1/host-1", Kind: "host", Underlay: netip.MustParseAddr("10.101.4.9"), State: node.Draining})
	a := r.replica(func(o *Options) {
		o.AdminVIP = netip.MustParseAddrPort("10.101.0.5:9180")
		o.Infrastructure = []netip.Addr{netip.MustParseAddr("10.101.7.3")}
		o.Protect = []netip.Prefix{netip.MustParsePrefix("10.99.0.0/16")}
	}, nil)
	r.replica(func(o *Options) {
		o.Node, o.Addresses = "bj/az2/api-2", []netip.Addr{netip.MustParseAddr("10.102.6.131")}
	}, nil)
	r.soon("the other replica is known", func() bool { return len(a.alive()) == 2 })
	for _, c := range []struct{ name, address, text string }{
		{"another replica of ours", "10.102.6.131", "bj/az2/api-2 (lbc-api)"},
		{"etcd member", "10.101.7.3", "etcd"},
		{"underlay of a gateway", "10.101.4.3", "node bj/az1/l7-1 (l7gw)"},
		{"status host", "10.101.9.3", "node bj/az1/l7-1"},
		{"underlay of a draining host", "10.101.4.9", "node bj/az1/host-1 (host)"},
		{"member address", "100.127.0.1", "member addresses"},
		{"Admin API", "10.101.0.5", "Admin API"},
		{"protected network", "10.99.1.1", "10.99.0.0/16"},
		{"unique IP", "100.100.0.1", "unique IPs"},
		{"loopback", "127.0.0.9", "loopback"},
		{"link-local", "169.254.169.254", "link-local"},
		{"multicast", "224.0.0.5", "multicast"},
		{"this network", "0.0.0.7", "no host"},
		{"broadcast", "255.255.255.255", "broadcast"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for path, body := range map[string]string{
				"load-balancers/x": `{"tenant":"t","address":%q}`,
				"target-groups/x":  `{"tenant":"t","targets":[{"ip":"10.20.1.1","port":80},{"ip":%q,"port":2379}]}`,
			} {
				var got refusal
				want := map[string]string{"load-balancers/x": "address", "target-groups/x": "targets[1].ip"}[path]
				status, _ := a.do("PUT", "/v1/"+path, fmt.Sprintf(body, c.address), &got)
				if status != 400 && status != 409 || got.Field != want || !strings.Contains(got.ErrorMsg, c.text) {
					t.Errorf("%s: got %d %+v, want a refusal of field %q with %q in the text", path, status, got, want, c.text)
				}
			}
		})
	}
	a.put("load-balancers/x", `{"tenant":"t","address":"203.0.113.10"}`)
	a.put("target-groups/x", `{"tenant":"t","targets":[{"ip":"10.20.1.1","port":80}]}`)
}

func TestEIPsComeFromTheirRanges(t *testing.T) {
	t.Parallel()
	r := newRegion(t)
	a := r.replica(func(o *Options) {
		o.EIPRanges = []netip.Prefix{netip.MustParsePrefix("198.51.100.0/24"), netip.MustParsePrefix("203.0.113.0/28")}
	}, nil)
	a.put("load-balancers/x", `{"tenant":"t","address":"203.0.113.10"}`)
	var got refusal
	if status, _ := a.do("PUT", "/v1/load-balancers/x", `{"tenant":"t","address":"203.0.113.16"}`, &got); status != 400 ||
		got.Field != "address" || !strings.Contains(got.ErrorMsg, "198.51.100.0/24, 203.0.113.0/28") {
		t.Errorf("got %d %+v, want a refusal that names the ranges", status, got)
	}
	// Ranges are for EIPs: a target may be anywhere.
	a.put("target-groups/x", `{"tenant":"t","targets":[{"ip":"10.20.1.1","port":80}]}`)
}
