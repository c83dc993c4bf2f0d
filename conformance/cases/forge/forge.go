// Package forge owns VXLAN packets that somebody makes by hand: what a machine of
// the underlay could send that is not who it says. It needs the capability
// spec.Region. Nothing here keeps state.
package forge

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/vxlan"
	"github.com/unilb/unilb/topology"
)

// A Claim is what a packet says of where it comes from.
type Claim struct {
	Port uint16 // UDP port of the tunnel
	VNI  uint32
	From netip.Addr // source of the packet inside
}

// Guest is the claim of a packet that a guest sends.
func Guest(b spec.Backend) Claim { return Claim{topology.VXLANPort, b.VNI, b.Addr.Addr()} }

// L4 is the claim of a packet that an L4 node sends to its members.
func L4(n spec.Node) Claim { return Claim{topology.L4TunnelPort, 1, n.Underlay} }

// Limits of a try.
const (
	knock  = 7777 // UDP port at the gateway's member address
	copies = 20   // of each packet
	// A packet needs less than a millisecond here; that is how long those of the
	// liar are waited for after the honest ones have come.
	after = 200 * time.Millisecond
	most  = 5 * time.Second // for the honest ones
)

// Lies sends packets with a claim to a gateway, from a node that lies and then
// from one of which the claim is true, and counts which of them a socket on the
// gateway gets. The honest ones prove that lies would have come, too: without any
// the case is broken.
func Lies(ctx context.Context, t *spec.T, to spec.Node, c Claim, liar, honest spec.Node) (arrived int) {
	at := netip.AddrPortFrom(to.Member, knock)
	socket, err := to.Sockets.ListenPacket("udp", at)
	if err != nil {
		t.Brokenf("%v", err)
	}
	defer socket.Close()
	for _, n := range []spec.Node{liar, honest} {
		packet, err := vxlan.Datagram(c.VNI, c.From, at, []byte("from "+string(n.Ref)+"."))
		if err == nil {
			err = send(ctx, n, netip.AddrPortFrom(to.Underlay, c.Port), packet)
		}
		if err != nil {
			t.Brokenf("%v", err)
		}
	}
	lies, truths, err := count(socket, string(liar.Ref), string(honest.Ref))
	if err != nil || truths == 0 {
		t.Brokenf("of %d packets that %s sends itself none arrives at %s: this proves nothing (%v)", copies, honest.Ref, to.Ref, err)
	}
	t.Logf("to %s, as %s in VNI %d: %d of %d arrive from %s, and %d from %s", to.Ref, c.From, c.VNI, truths, copies, honest.Ref, lies, liar.Ref)
	return lies
}

func send(ctx context.Context, from spec.Node, to netip.AddrPort, p []byte) error {
	c, err := from.Sockets.Dial(ctx, "udp", to)
	if err != nil {
		return fmt.Errorf("send from %s: %w", from.Ref, err)
	}
	defer c.Close()
	for range copies {
		if _, err := c.Write(p); err != nil {
			return fmt.Errorf("send from %s: %w", from.Ref, err)
		}
	}
	return nil
}

// count reads until a truth has come and then for a moment.
func count(socket net.PacketConn, liar, honest string) (lies, truths int, err error) {
	buf := make([]byte, 2048)
	if err := socket.SetReadDeadline(time.Now().Add(most)); err != nil {
		return 0, 0, err
	}
	for {
		n, _, err := socket.ReadFrom(buf)
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			return lies, truths, nil
		case err != nil:
			return lies, truths, err
		case strings.Contains(string(buf[:n]), "from "+liar+"."):
			lies++
		case strings.Contains(string(buf[:n]), "from "+honest+"."):
			if truths++; truths == 1 {
				if err := socket.SetReadDeadline(time.Now().Add(after)); err != nil {
					return lies, truths, err
				}
			}
		}
	}
}
