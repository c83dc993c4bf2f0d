//go:build scenarios

package kit

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/unilb/unilb/sim/vxlan"
	"github.com/unilb/unilb/topology"
)

// A Forgery is a VXLAN packet that a node makes by hand and sends to a gateway,
// with an inner datagram that claims to come from somebody.
type Forgery struct {
	From topology.Ref // the node that sends it, from its own address
	To   topology.Ref // the gateway
	As   topology.Ref // a guest: its VNI and address; an L4 node: that tunnel
}

// Fate is what must become of a forgery.
type Fate int

// The fates.
const (
	IsDropped Fate = iota
	Arrives
)

const (
	knock  = 7777 // UDP port on which the gateway's node listens for forgeries
	copies = 20   // of each forgery
)

// Forge sends the packet and says whether a socket on the gateway's node gets
// it. Copies go out together with datagrams that the node sends to itself: when
// those have arrived, so would the forgeries.
func Forge(ctx context.Context, r *Region, f Forgery, want Fate) {
	GinkgoHelper()
	gw := r.planned(f.To)
	at := netip.AddrPortFrom(gw.Member, knock)
	socket, err := r.node(f.To).ListenPacket("udp", at)
	Expect(err).NotTo(HaveOccurred())
	defer socket.Close()

	name := fmt.Sprintf("%s as %s", f.From, f.As)
	port, vni, src := r.claims(f.As)
	packet, err := vxlan.Datagram(vni, src, at, []byte(name))
	Expect(err).NotTo(HaveOccurred())
	out, err := r.node(f.From).Dial(ctx, "udp", netip.AddrPortFrom(gw.Underlay, port))
	Expect(err).NotTo(HaveOccurred())
	defer out.Close()
	honest, err := r.node(f.To).Dial(ctx, "udp", at)
	Expect(err).NotTo(HaveOccurred())
	defer honest.Close()

	arrived, echoes := 0, 0
	buf := make([]byte, 2048)
	for range copies {
		_, err := out.Write(packet)
		Expect(err).NotTo(HaveOccurred())
		_, err = honest.Write([]byte("honest"))
		Expect(err).NotTo(HaveOccurred())
		// Half a second is thousands of times the way of a packet here; a busy
		// machine makes a drop look the same, never an arrival look like a drop
		// twenty times in a row, because the loop goes on until honest ones came.
		Expect(socket.SetReadDeadline(time.Now().Add(500 * time.Millisecond))).To(Succeed())
		for {
			n, _, err := socket.ReadFrom(buf)
			if err != nil {
				break
			}
			if string(buf[:n]) == "honest" {
				echoes++
			} else if strings.Contains(string(buf[:n]), name) {
				arrived++
			}
			if arrived > 0 && want == Arrives {
				return
			}
		}
		if want == IsDropped {
			Expect(arrived).To(BeZero(), "%s arrived", name)
		}
	}
	Expect(echoes).To(Equal(copies), "the probe itself lost packets")
	Expect(arrived > 0).To(Equal(want == Arrives), "%s: %d of %d arrived", name, arrived, copies)
}

// claims is what a packet says that comes from a node.
func (r *Region) claims(ref topology.Ref) (port uint16, vni uint32, src netip.Addr) {
	n := r.planned(ref)
	if n.Guest != nil {
		return topology.VXLANPort, n.Guest.VNI, n.Guest.IP
	}
	return topology.L4TunnelPort, 1, n.Underlay
}
