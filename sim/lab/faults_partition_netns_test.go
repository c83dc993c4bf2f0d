//go:build netns

package lab_test

import (
	"fmt"
	"net"
	"net/netip"
	"path/filepath"
	"testing"
	"time"

	"github.com/unilb/unilb/sim/fault"
	"github.com/unilb/unilb/sim/lab"
)

// datagrams is a socket at the node's own address.
func datagrams(t *testing.T, n *lab.Node) net.PacketConn {
	t.Helper()
	c, err := n.ListenPacket("udp4", netip.AddrPortFrom(n.Plan().Underlay, 9))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// crosses sends one datagram and says whether it arrived.
func crosses(from, to net.PacketConn, within time.Duration) bool {
	_, _ = from.WriteTo([]byte("x"), to.LocalAddr()) // a drop shows as EPERM at the sender
	_ = to.SetReadDeadline(time.Now().Add(within))
	_, _, err := to.ReadFrom(make([]byte, 8))
	return err == nil
}

func TestPartitionIsSilentInItsDirectionAndOpenInTheOther(t *testing.T) {
	l := up(t)
	a, b := datagrams(t, node(t, l, "client/inet-1")), datagrams(t, node(t, l, "idc/bj/blue-1"))
	third := datagrams(t, node(t, l, "bj/az1/l4-1"))
	const lost, patient = 100 * time.Millisecond, 5 * time.Second
	for _, c := range []struct {
		dir         fault.Direction
		there, back bool
	}{{fault.BothWays, false, false}, {fault.AToB, false, true}, {fault.BToA, true, false}} {
		t.Run(fmt.Sprintf("direction %q", c.dir), func(t *testing.T) {
			if !crosses(a, b, patient) || !crosses(b, a, patient) {
				t.Fatal("nothing crosses before")
			}
			f := inject(t, l, fault.Partition{A: "client/*", B: "idc/**", Direction: c.dir})
			within := func(open bool) time.Duration {
				if open {
					return patient
				}
				return lost
			}
			if got := crosses(a, b, within(c.there)); got != c.there {
				t.Errorf("a to b: crosses %t, want %t", got, c.there)
			}
			if got := crosses(b, a, within(c.back)); got != c.back {
				t.Errorf("b to a: crosses %t, want %t", got, c.back)
			}
			if !crosses(a, third, patient) || !crosses(third, a, patient) {
				t.Error("a node outside the partition is cut off, too")
			}
			pending, err := fault.Pending(filepath.Join(l.Dir(), "ledger.ndjson"))
			if err != nil || len(pending) != 1 || pending[0].State != fault.Applied {
				t.Errorf("pending in the ledger: %v, %v", pending, err)
			}
			heal(t, f)
			if !crosses(a, b, patient) || !crosses(b, a, patient) {
				t.Error("nothing crosses after healing")
			}
		})
	}
	wantNothingPending(t, l)
}

func TestPartitionThatDropsNothingIsNotTakenForOne(t *testing.T) {
	l := up(t)
	// Whoever empties the packet filter between the rule and the proof: the lab
	// must notice that packets pass.
	leaks, err := lab.LeaksWithoutDrop(l, "client/inet-1", "10.20.0.1")
	if err != nil || len(leaks) != 1 {
		t.Errorf("with no drop in force: leaks %v, %v, want 10.20.0.1", leaks, err)
	}
}
