//go:build netns

package lab_test

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/unilb/unilb/sim/bpf"
	"github.com/unilb/unilb/sim/fault"
	"github.com/unilb/unilb/sim/lab"
	"github.com/unilb/unilb/topology"
)

const (
	visitor = topology.Ref("client/inet-1")
	gateway = topology.Ref("bj/az1/l7-1") // the one that things happen to
)

// TestSiteLosesWhatItNeedsAndGetsItBack shows what the peers of real programs see
// before, during and after exhaustion and the loss of pins, in one lab.
func TestSiteLosesWhatItNeedsAndGetsItBack(t *testing.T) {
	s := newSite(t, "regions.bj.azs.az1.l4=2")
	t.Run("a full connection table disturbs nobody", s.fullTable)
	t.Run("without local ports a gateway reaches no backend anew", s.noPorts)
	t.Run("without its agent's pins a gateway reaches no tenant", s.noAgentPins)
	t.Run("without its pins an L4 node forwards nothing", s.noL4Pins)
	t.Run("without descriptors a gateway accepts and is silent", s.noDescriptors)
}

// serves asks both applications until everything is well.
func (s *site) serves(t *testing.T) {
	t.Helper()
	const n, each = 12, time.Second
	until(t, "both applications serve every visit", func() bool {
		return s.outcomes(n, visitor, s.shop, shopHost, each)["200"] == n && s.outcomes(n, visitor, s.blue, blueHost, each)["200"] == n
	})
}

func (s *site) fullTable(t *testing.T) {
	const n = 20
	live := s.open(t, n, visitor, s.blue, blueHost)
	entries := func() (all, capacity int) {
		for _, l4 := range s.Select("bj/az1/l4-*") {
			one, size := connections(t, l4)
			all, capacity = all+one, capacity+size
		}
		return all, capacity
	}
	before, _ := entries()
	if before == 0 {
		t.Error("no connection is in the tables")
	}
	a := s.inject(t, fault.ExhaustConnections{On: "bj/az1/l4-*", Seed: 3})
	full, capacity := entries()
	t.Logf("%d entries of %d, before %d", full, capacity, before)
	if full < capacity*9/10 {
		t.Errorf("%d entries of %d: not full", full, capacity)
	}
	for when := range 2 {
		if got := answers(live, patience); got["200"] != n {
			t.Errorf("connections that were there, %d: %v", when, got)
		}
		if got := s.outcomes(n, visitor, s.blue, blueHost, patience); got["200"] != n {
			t.Errorf("new connections, %d: %v", when, got)
		}
		if when == 0 {
			s.heal(t, a)
		}
	}
	if after, _ := entries(); after > before+4*n {
		t.Errorf("%d entries are left, before %d", after, before)
	}
}

// connections looks into the table of an L4 node.
func connections(t *testing.T, n *lab.Node) (entries, capacity int) {
	t.Helper()
	pins := pinned(t, n)
	i := slices.IndexFunc(pins, func(p bpf.Pin) bool { return filepath.Base(p.Path) == "conns" })
	if i < 0 {
		t.Fatalf("%s has no connection table among %v", n.Ref(), pins)
	}
	table, err := bpf.OpenTable(pins[i].Path)
	if err != nil {
		t.Fatal(err)
	}
	defer table.Close()
	entries, _, err = table.Count(0)
	if err != nil {
		t.Fatal(err)
	}
	return entries, table.Capacity()
}

func (s *site) noPorts(t *testing.T) {
	const n = 60
	neighbour := netip.AddrPortFrom(node(t, s.Lab, "bj/az1/l7-2").Plan().Underlay, lab.HTTPPort)
	old := s.open(t, 1, gateway, neighbour, blueHost)
	// So many requests at once that a gateway needs new connections to backends.
	atOnce := func() map[string]int {
		return s.outcomes(n, visitor, s.blue, blueHost, patience, "X-Echo-Delay: 300ms")
	}
	dials := func(times int) (opened int, err error) {
		for range times {
			v, err := s.visit(gateway, neighbour, blueHost, patience)
			if err != nil {
				return opened, err
			}
			t.Cleanup(func() { v.Close() })
			opened++
		}
		return opened, nil
	}
	s.serves(t)
	for _, keep := range []int{1, 0} {
		a := s.inject(t, fault.ExhaustPorts{On: topology.Selector(gateway), Keep: keep})
		if opened, err := dials(keep + 1); opened != keep || !errors.Is(err, unix.EADDRNOTAVAIL) {
			t.Errorf("keep %d: %d connections opened, then %v", keep, opened, err)
		}
		if got := answers(old, patience); len(got) != 1 || got["reset"]+got["silence"] != 0 {
			t.Errorf("keep %d: the connection that was there: %v", keep, got)
		}
		if keep == 0 {
			var got map[string]int
			until(t, "requests are refused by a gateway that reaches nobody", func() bool {
				got = atOnce()
				return got["200"] < n
			})
			t.Logf("%d requests at once: %v", n, got)
			if got["silence"]+got["reset"] > 0 {
				t.Errorf("%d requests at once: %v, want that none is lost", n, got)
			}
		}
		s.heal(t, a)
		if opened, err := dials(3); err != nil {
			t.Errorf("keep %d, healed: %d connections opened, then %v", keep, opened, err)
		}
	}
	until(t, "every request is served again", func() bool { return atOnce()["200"] == n })
}

func (s *site) noDescriptors(t *testing.T) {
	// Straight to the gateway: what it answers for a host that only a VIP has does
	// not matter, that it answers does.
	at := netip.AddrPortFrom(node(t, s.Lab, gateway).Plan().Underlay, lab.HTTPPort)
	process, err := node(t, s.Lab, gateway).Proc("gateway")
	if err != nil {
		t.Fatal(err)
	}
	s.serves(t)
	old := s.open(t, 3, visitor, at, blueHost)
	before := fileLimit(t, process.Pid())
	a := s.inject(t, fault.ExhaustFDs{On: topology.Selector(gateway), Process: "gateway"})
	if during := fileLimit(t, process.Pid()); during >= before {
		t.Errorf("limit %d, before %d", during, before)
	}
	if got := s.outcomes(3, visitor, at, blueHost, silence); got["silence"] != 3 {
		t.Errorf("new connections: %v, want silence", got)
	}
	if v, err := s.visit(visitor, at, blueHost, patience); err != nil {
		t.Errorf("its kernel does not complete a handshake: %v", err)
	} else {
		v.Close()
	}
	if got := answers(old, patience); got["silence"]+got["reset"] != 0 || len(got) != 1 {
		t.Errorf("connections that were there: %v", got)
	}
	begin := time.Now()
	s.serves(t)
	t.Logf("clients are led past it after %v", time.Since(begin))
	s.heal(t, a)
	begin = time.Now()
	if got := s.outcomes(3, visitor, at, blueHost, patience); got["silence"]+got["reset"] != 0 || len(got) != 1 {
		t.Errorf("new connections after healing: %v", got)
	}
	t.Logf("it serves again after %v, without a restart", time.Since(begin))
	if after := fileLimit(t, process.Pid()); after != before || !process.Running() {
		t.Errorf("limit %d, before %d; runs: %t", after, before, process.Running())
	}
	s.serves(t)
}

// fileLimit reads the soft limit of open files as an administrator does.
func fileLimit(t *testing.T, pid int) (limit int) {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/limits", pid))
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`Max open files\s+(\d+)`).FindSubmatch(b)
	if m == nil {
		t.Fatalf("no limit in %s", b)
	}
	if _, err := fmt.Sscan(string(m[1]), &limit); err != nil {
		t.Fatal(err)
	}
	return limit
}
