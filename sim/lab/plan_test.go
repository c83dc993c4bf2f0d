package lab

import (
	"slices"
	"strings"
	"testing"

	"github.com/unilb/unilb/sim/sandbox"
	"github.com/unilb/unilb/topology"
)

func plan(t *testing.T, name string) *topology.Plan {
	t.Helper()
	s, err := topology.LoadLibrary(name)
	if err != nil {
		t.Fatal(err)
	}
	p, err := s.Plan()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestNeedsFollowFromThePlan(t *testing.T) {
	for name, want := range map[string][]string{
		"hello":  {sandbox.CapNetNS},
		"one-az": {sandbox.CapNetNS, sandbox.CapEBPF},
		"two-az": {sandbox.CapNetNS, sandbox.CapEBPF, sandbox.CapTUN},
	} {
		if got := Needs(plan(t, name)); !slices.Equal(got, want) {
			t.Errorf("%s needs %v, want %v", name, got, want)
		}
	}
}

func TestGatewayIsToldItsPlace(t *testing.T) {
	p := plan(t, "two-az")
	n, ok := p.Node("bj/az2/l7-1")
	if !ok {
		t.Fatal("no such node")
	}
	l := &Lab{plan: p, o: Options{BinDir: "/bins"}}
	c, err := L7GW(*n, l.facts(&Node{lab: l, plan: n, disk: newDisk("lab", n)}))
	if err != nil {
		t.Fatal(err)
	}
	got := c.Path + " " + strings.Join(c.Args, " ")
	want := "/bins/l7gw --node bj/az2/l7-1 --zone az2 --region bj" +
		" --etcd http://10.101.7.3:2379,http://10.101.11.3:2379,http://10.101.15.3:2379 --prefix /apisix" +
		" --listen 10.101.8.3:80 --status-listen :9092 --underlay 10.101.8.3 --drain-timeout 30s --member-address " + n.Member.String()
	if got != want {
		t.Errorf("command:\n%s\nwant:\n%s", got, want)
	}
}

func TestPinDirMustLieInTheSandbox(t *testing.T) {
	for arg, want := range map[string]string{"/sys/fs/bpf/bj/az1/l7-1": "/sys/fs/bpf/bj/az1/l7-1", "/etc": "", "/sys/fs/bpf": ""} {
		if got := pinDir(topology.Process{Args: []string{"--role", "host", "--pin-dir", arg}}); got != want {
			t.Errorf("pin directory of %q: got %q, want %q", arg, got, want)
		}
	}
}
