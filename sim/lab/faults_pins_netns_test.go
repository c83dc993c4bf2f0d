//go:build netns

package lab_test

import (
	"testing"
	"time"

	"github.com/unilb/unilb/sim/bpf"
	"github.com/unilb/unilb/sim/fault"
	"github.com/unilb/unilb/sim/lab"
	"github.com/unilb/unilb/topology"
)

// pinned lists what the processes of a node have pinned.
func pinned(t *testing.T, n *lab.Node) (all []bpf.Pin) {
	t.Helper()
	for _, p := range n.Plan().Processes {
		for i, arg := range p.Args {
			if arg != "--pin-dir" {
				continue
			}
			pins, err := bpf.List(p.Args[i+1])
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, pins...)
		}
	}
	return all
}

// pins counts what is pinned for the gateway, and how many programs are attached.
func (s *site) pins(t *testing.T) (all, attached int) {
	t.Helper()
	list := pinned(t, node(t, s.Lab, gateway))
	for _, p := range list {
		if p.Kind == bpf.Link && p.Ifindex != 0 {
			attached++
		}
	}
	return len(list), attached
}

func (s *site) noAgentPins(t *testing.T) {
	const n = 30
	s.serves(t)
	all, attached := s.pins(t)
	a := s.inject(t, fault.PinLoss{On: topology.Selector(gateway), Process: topology.ProcAgent})
	if left, on := s.pins(t); left != 0 || on != 0 {
		t.Errorf("%d pins are left, %d programs attached", left, on)
	}
	// Its L4 tunnel still receives and the gateway is well: visits come, and those
	// for a tenant's guest hang. Those for the IDC do not need the agent.
	var shop map[string]int
	until(t, "visits to the tenant hang by one gateway and are answered by the other", func() bool {
		shop = s.outcomes(n, visitor, s.shop, shopHost, silence)
		return shop["silence"] > 0 && shop["200"] > 0
	})
	t.Logf("tenant: %v", shop)
	if got := s.outcomes(n, visitor, s.blue, blueHost, patience); got["200"] != n {
		t.Errorf("visits to the IDC: %v", got)
	}
	s.heal(t, a)
	if now, on := s.pins(t); now < all || on < attached {
		t.Errorf("%d pins and %d programs attached, before %d and %d", now, on, all, attached)
	}
	s.serves(t)
}

func (s *site) noL4Pins(t *testing.T) {
	const n = 20
	s.serves(t)
	live := s.open(t, n, visitor, s.blue, blueHost)
	first := s.inject(t, fault.PinLoss{On: "bj/az1/l4-1"})
	begin := time.Now()
	until(t, "the edge takes the first L4 node out", func() bool { return !legIn(s.Lab, 0) })
	t.Logf("out after %v", time.Since(begin))
	// The other node knows the same members in the same ring.
	if got := answers(live, patience); got["200"] != n {
		t.Errorf("connections that were there, by the other node: %v", got)
	}
	if got := s.outcomes(n, visitor, s.blue, blueHost, patience); got["200"] != n {
		t.Errorf("new connections, by the other node: %v", got)
	}
	second := s.inject(t, fault.PinLoss{On: "bj/az1/l4-2", Process: topology.ProcL4})
	got := s.outcomes(n, visitor, s.blue, blueHost, silence)
	t.Logf("without any L4 node: %v", got)
	if got["200"] != 0 {
		t.Errorf("without any L4 node: %v, want no answer", got)
	}
	s.heal(t, second)
	s.heal(t, first)
	until(t, "the edge has both L4 nodes", func() bool { return legIn(s.Lab, 0) && legIn(s.Lab, 1) })
	if got := answers(live, patience); got["200"] != n {
		t.Errorf("connections that were there, after healing: %v", got)
	}
	s.serves(t)
}
