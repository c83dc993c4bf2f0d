//go:build netns

package lab_test

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/unilb/unilb/sim/fault"
	"github.com/unilb/unilb/sim/lab"
	"github.com/unilb/unilb/sim/sandbox"
	"github.com/unilb/unilb/sim/tenant"
	"github.com/unilb/unilb/topology"
)

// A site is a region of real binaries with one application in a VPC and one in
// the IDC.
type site struct {
	*lab.Lab
	shop, blue netip.AddrPort // what clients connect to
}

// The hosts that the applications of a site answer to.
const (
	shopHost = "shop.example"
	blueHost = "blue.example"
)

// newSite builds one-az, changed by the overrides, and publishes the applications.
func newSite(t *testing.T, overrides ...string) *site {
	t.Helper()
	sandbox.Require(t, sandbox.CapNetNS, sandbox.CapEBPF)
	spec, err := topology.LoadLibrary("one-az", overrides...)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := spec.Plan()
	if err != nil {
		t.Fatal(err)
	}
	bin := realBinaries(t)
	start := time.Now()
	l, err := lab.Up(ctx(t), plan, lab.Options{BinDir: bin, Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Down(context.Background()); err != nil {
			t.Error(err)
		}
	})
	s := &site{Lab: l}
	s.shop = s.publish(t, "shop", "shop-eip", "shop", shopHost, "vpc/shop/**")
	s.blue = s.publish(t, "blue", "idc-eip", "", blueHost, "idc/bj/blue-*")
	t.Logf("the site serves after %v", time.Since(start))
	return s
}

// realBinaries is $UNILB_BIN, or a directory that the programs are built into.
func realBinaries(t *testing.T) string {
	t.Helper()
	if dir := os.Getenv("UNILB_BIN"); dir != "" {
		return dir
	}
	dir, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// built builds the programs once for all tests. They vanish with the sandbox.
var built = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp(sandbox.Dir, "bin")
	if err != nil {
		return "", err
	}
	out, err := exec.Command("go", "build", "-trimpath", "-o", dir, "github.com/unilb/unilb/cmd/...").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build the programs: %w\n%s", err, out)
	}
	return dir, nil
})

// publish makes one application, and returns when it is in force everywhere.
func (s *site) publish(t *testing.T, name, vip, vpc, host string, targets topology.Selector) netip.AddrPort {
	t.Helper()
	api := s.Plan().OfKind(topology.KindAPI)[0]
	client := tenant.New(node(t, s.Lab, api.Ref), topology.APIKey, netip.AddrPortFrom(api.Underlay, topology.APIPort))
	group := tenant.TargetGroup{Tenant: name, VPC: vpc}
	for _, n := range s.Select(targets) {
		at := n.Plan().Underlay
		if g := n.Plan().Guest; g != nil {
			at = g.IP
		}
		group.Targets = append(group.Targets, tenant.Target{IP: at.String(), Port: topology.EchoPort, Weight: 1})
	}
	var address netip.Addr
	for _, v := range s.Plan().VIPs {
		if v.Name == vip {
			address = v.Address
		}
	}
	var last tenant.Operation
	for _, object := range []struct {
		path string
		body any
	}{
		{tenant.TargetGroupPath(name), group},
		{tenant.LoadBalancerPath(name), tenant.LoadBalancer{Tenant: name, Address: address.String()}},
		{tenant.ListenerPath(name, "web"), tenant.Listener{Protocol: "http", Port: 80}},
		{tenant.RulePath(name, "web", "all"), tenant.Rule{Hosts: []string{host}, Paths: []string{"/*"}, TargetGroup: name}},
	} {
		var err error
		if last, err = client.Put(ctx(t), object.path, object.body); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := client.Await(ctx(t), last); err != nil {
		t.Fatal(err)
	}
	return netip.AddrPortFrom(address, 80)
}

// inject applies a fault and reverts it with the test, when that has not.
func (s *site) inject(t *testing.T, f fault.Fault) *fault.Active {
	t.Helper()
	start := time.Now()
	a, err := s.Inject(ctx(t), f)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s (%v)", f, time.Since(start))
	t.Cleanup(func() {
		fresh, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := a.Heal(fresh); err != nil {
			t.Error(err)
		}
	})
	return a
}

func (s *site) heal(t *testing.T, a *fault.Active) {
	t.Helper()
	start := time.Now()
	if err := a.Heal(ctx(t)); err != nil {
		t.Fatal(err)
	}
	t.Logf("healed (%v)", time.Since(start))
}
