//go:build netns

package fnat

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/unilb/unilb/impl/vpc"
)

// dialUDP opens a connected socket inside.
func (n *testNode) dialUDP(to netip.AddrPort) (c *net.UDPConn) {
	n.t.Helper()
	n.in(func() (err error) {
		c, err = net.DialUDP("udp4", nil, net.UDPAddrFromAddrPort(to))
		return err
	})
	n.t.Cleanup(func() { c.Close() })
	return c
}

// sockopt reads or writes an IP option of a socket.
func sockopt(t *testing.T, c *net.UDPConn, f func(fd int) error) {
	t.Helper()
	raw, err := c.SyscallConn()
	if err == nil {
		var inner error
		err = errors.Join(raw.Control(func(fd uintptr) { inner = f(int(fd)) }), inner)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestClosedPortIsRefusedBothWays(t *testing.T) {
	l := newTestLab(t)
	l.checkRefused()
}

func (l *testLab) checkRefused() {
	l.t.Helper()
	for _, f := range []struct {
		name string
		c    *net.UDPConn
	}{
		{"gateway to a closed port of B1", l.gw.dialUDP(netip.AddrPortFrom(l.uniqueB, 4444))},
		{"B1 to a closed port of the gateway", l.b1.dialUDP(netip.AddrPortFrom(member, 4444))},
	} {
		_ = f.c.SetDeadline(time.Now().Add(patience))
		if _, err := f.c.Write([]byte("anybody?")); err != nil {
			l.t.Fatal(err)
		}
		if _, err := f.c.Read(make([]byte, 10)); !errors.Is(err, unix.ECONNREFUSED) {
			l.t.Errorf("%s: got %v, want connection refused", f.name, err)
		}
	}
}

func TestRouterInsideTheVPCCanLowerTheMTU(t *testing.T) {
	l := newTestLab(t)
	c := l.gw.dialUDP(netip.AddrPortFrom(l.uniqueA, 9000))
	sockopt(t, c, func(fd int) error {
		return unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_MTU_DISCOVER, unix.IP_PMTUDISC_DO)
	})
	big := make([]byte, 1400)
	if _, err := c.Write(big); err != nil {
		t.Fatal(err)
	}
	local := c.LocalAddr().(*net.UDPAddr).AddrPort()
	cause := ipv4(unix.IPPROTO_UDP, member, l.a1.port.IP, 0x4000, udpBody(local.Port(), 9000, string(big[:100])))
	notice := ipv4(unix.IPPROTO_ICMP, ip("192.168.1.254"), member, 0, icmpError(3, 4, 1200, cause))
	l.host1.sendVXLAN(vtepGW, 10, frame(vpc.MAC{2, 1}, vpc.MAC{2, 2}, 0x0800, notice))
	until(t, "the socket learns the MTU", func() bool {
		var mtu int
		sockopt(t, c, func(fd int) (err error) { mtu, err = unix.GetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_MTU); return err })
		return mtu == 1200
	})
	if _, err := c.Write(big); !errors.Is(err, unix.EMSGSIZE) {
		t.Errorf("send 1400 bytes: got %v, want message too long", err)
	}
}

func TestOversizePacketOfAGuestIsAnswered(t *testing.T) {
	for _, c := range []struct {
		name string
		off  func(*testLab)
	}{
		{"all offloads", func(*testLab) {}},
		{"no offloads", (*testLab).offloadsOff},
		// The guest leaves checksums to the host, and the host computes them on
		// the way back: in the middle of the ICMP error.
		{"host computes", func(l *testLab) { l.offloadsOffAt(l.host1) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newTestLab(t)
			c.off(l)
			l.checkOversize()
			for name, n := range map[string]*testNode{"A1": l.a1.testNode, "B1": l.b1.testNode, "gateway": l.gw} {
				if errs := n.csumErrors(); errs != 0 {
					t.Errorf("%s saw %d wrong checksums", name, errs)
				}
			}
		})
	}
}

// checkOversize lets guests send what fits their own link and not the tunnel.
func (l *testLab) checkOversize() {
	l.t.Helper()
	l.gw.echoUDP("GW", 9)
	l.gw.echoTCP("GW", 9)
	// A gateway that claims to take larger segments than fit through the
	// tunnel, so that TCP needs the answer, too.
	_, unique, _ := net.ParseCIDR("100.64.0.0/10")
	err := l.gw.nl.RouteReplace(&netlink.Route{
		LinkIndex: l.gw.link("fnat0").Attrs().Index, Dst: unique, Src: member.AsSlice(), AdvMSS: 1560,
	})
	if err != nil {
		l.t.Fatal(err)
	}
	for _, end := range []struct {
		n   *testNode
		dev string
	}{{l.a1.testNode, "eth0"}, {l.host1, l.a1.port.Ifname}} {
		if err := end.n.nl.LinkSetMTU(end.n.link(end.dev), 1600); err != nil {
			l.t.Fatal(err)
		}
	}
	c := l.a1.dialUDP(netip.AddrPortFrom(member, 9))
	sockopt(l.t, c, func(fd int) error {
		return unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_MTU_DISCOVER, unix.IP_PMTUDISC_DO)
	})
	if _, err := c.Write(make([]byte, 1550)); err != nil {
		l.t.Fatal(err)
	}
	until(l.t, "the guest learns the MTU", func() bool {
		var mtu int
		sockopt(l.t, c, func(fd int) (err error) { mtu, err = unix.GetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_MTU); return err })
		return mtu == 1550
	})
	// The error itself, if it was not taken already, comes before the answer.
	_ = c.SetDeadline(time.Now().Add(patience))
	got := make([]byte, 2000)
	for range 2 {
		if _, err := c.Write(make([]byte, 1500)); errors.Is(err, unix.EMSGSIZE) {
			continue
		} else if err != nil {
			l.t.Fatal(err)
		}
		break
	}
	if n, err := c.Read(got); err != nil || !strings.HasPrefix(string(got[:n]), "GW "+l.uniqueA.String()) {
		l.t.Errorf("1500 bytes after it: got %.30q, %v", got[:n], err)
	}
	// TCP finds its segment size by the same answer, from a guest that has not
	// heard it yet; nothing outer is fragmented on the way.
	for _, end := range []struct {
		n   *testNode
		dev string
	}{{l.b1.testNode, "eth0"}, {l.host1, l.b1.port.Ifname}} {
		if err := end.n.nl.LinkSetMTU(end.n.link(end.dev), 1600); err != nil {
			l.t.Fatal(err)
		}
	}
	before, _, err := l.vswitch1.Counters()
	if err != nil {
		l.t.Fatal(err)
	}
	if got, err := l.b1.askTCP(0, netip.AddrPortFrom(member, 9), bytes.Repeat([]byte("x"), 1<<18)); err != nil {
		l.t.Errorf("TCP from a guest with MTU 1600: got %.30q, %v", got, err)
	}
	after, _, err := l.vswitch1.Counters()
	if err != nil || before.TooBig == 0 || after.TooBig == before.TooBig {
		l.t.Errorf("counted %d oversize datagrams and %d segments (%v), want some of each", before.TooBig, after.TooBig-before.TooBig, err)
	}
	if frags := l.host1.snmp("Ip:", "FragCreates"); frags != 0 {
		l.t.Errorf("host fragmented %d outer packets, want none", frags)
	}
}

// offloadsOff makes every device compute and check every checksum and send no
// segments in one piece.
func (l *testLab) offloadsOff() {
	l.t.Helper()
	l.offloadsOffAt(l.gw, l.host1, l.host2, l.a1.testNode, l.b1.testNode, l.a2.testNode, l.a3.testNode)
}

func (l *testLab) offloadsOffAt(nodes ...*testNode) {
	l.t.Helper()
	for _, n := range nodes {
		links, err := n.nl.LinkList()
		if err != nil {
			l.t.Fatal(err)
		}
		n.in(func() error {
			for _, link := range links {
				if link.Attrs().Name == "lo" {
					continue
				}
				if err := offloadOff(link.Attrs().Name); err != nil {
					return err
				}
			}
			return nil
		})
	}
}

// offloadOff turns checksum and segmentation offloads of a device off, by the
// ethtool calls, in the order in which they depend on each other.
func offloadOff(dev string) error {
	const (
		stso, sgso, sgro = 0x1f, 0x24, 0x2c
		srxcsum, stxcsum = 0x15, 0x17
		siocEthtool      = 0x8946
		ifnamsiz         = 16
	)
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	for _, cmd := range []uint32{stso, sgso, sgro, srxcsum, stxcsum} {
		value := struct{ cmd, data uint32 }{cmd, 0}
		var req struct {
			name [ifnamsiz]byte
			data unsafe.Pointer
			_    [16]byte
		}
		copy(req.name[:], dev)
		req.data = unsafe.Pointer(&value)
		_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), siocEthtool, uintptr(unsafe.Pointer(&req)))
		if errno != 0 && errno != unix.EOPNOTSUPP {
			return fmt.Errorf("ethtool %#x of %s: %w", cmd, dev, errno)
		}
	}
	return nil
}

func TestChecksumsAreRightWithoutOffloads(t *testing.T) {
	l := newTestLab(t)
	l.offloadsOff()
	l.checkBothWays()
	l.checkRefused()
	l.checkOversize()
	for name, n := range map[string]*testNode{
		"gateway": l.gw, "host1": l.host1, "host2": l.host2,
		"A1": l.a1.testNode, "B1": l.b1.testNode, "A2": l.a2.testNode, "A3": l.a3.testNode,
	} {
		if errs := n.csumErrors(); errs != 0 {
			t.Errorf("%s saw %d wrong checksums", name, errs)
		}
		if name != "host1" && name != "host2" && n.snmp("Ip:", "InDelivers") == 0 {
			t.Errorf("%s saw no packet at all", name)
		}
	}
}
