//go:build netns

package fnat

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/unilb/unilb/impl/vpc"
)

// until waits for a condition that a packet under way will make true.
func until(t *testing.T, what string, f func() bool) {
	t.Helper()
	deadline := time.After(patience)
	look := time.NewTicker(time.Millisecond)
	defer look.Stop()
	for !f() {
		select {
		case <-look.C:
		case <-deadline:
			t.Fatalf("%s: not after %s", what, patience)
		}
	}
}

// silent fails the test when the socket gets a datagram. Everything sent before
// was counted as dropped by then, so there is nothing to wait for.
func silent(t *testing.T, what string, c *net.UDPConn) {
	t.Helper()
	_ = c.SetReadDeadline(time.Now())
	buf := make([]byte, 2048)
	if n, from, err := c.ReadFromUDP(buf); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("%s: got %q from %s (%v), want nothing", what, buf[:n], from, err)
	}
}

func TestForgedPacketsNeverReachTheGateway(t *testing.T) {
	l := newTestLab(t)
	c := l.gw.udp(member.String(), 9000)
	inner := func(src netip.Addr) []byte {
		return frame(vpc.MAC{2, 1}, vpc.MAC{2, 2}, 0x0800, ipv4(unix.IPPROTO_UDP, src, member, 0, udpBody(7, 9000, "forged")))
	}
	for _, f := range []struct {
		name  string
		from  *testNode
		vni   uint32
		src   netip.Addr
		count func(Counters) uint64
	}{
		{"a stranger on the underlay", l.forger, 10, l.a1.port.IP, func(c Counters) uint64 { return c.WrongVTEP }},
		{"a host on which the guest is not", l.host2, 10, l.a1.port.IP, func(c Counters) uint64 { return c.WrongVTEP }},
		{"a VNI that is nobody's", l.host1, 30, l.a1.port.IP, func(c Counters) uint64 { return c.UnknownSource }},
		{"a VNI that does not hold the address", l.host2, 20, l.a2.port.IP, func(c Counters) uint64 { return c.UnknownSource }},
		{"a guest without a unique IP", l.host1, 10, l.a3.port.IP, func(c Counters) uint64 { return c.UnknownSource }},
	} {
		_, before, err := l.gateway.Counters()
		if err != nil {
			t.Fatal(err)
		}
		f.from.sendVXLAN(vtepGW, f.vni, inner(f.src))
		until(t, f.name+" is counted", func() bool {
			_, after, err := l.gateway.Counters()
			return err == nil && f.count(after) == f.count(before)+1
		})
		silent(t, f.name, c)
	}
	// The same packet is believed from the guest's own host: the check above
	// can fail.
	l.host1.sendVXLAN(vtepGW, 10, inner(l.a1.port.IP))
	_ = c.SetReadDeadline(time.Now().Add(patience))
	buf := make([]byte, 100)
	n, from, err := c.ReadFromUDPAddrPort(buf)
	if err != nil || string(buf[:n]) != "forged" || from.Addr() != l.uniqueA {
		t.Errorf("packet of the guest's host: got %q from %s, %v; want it from %s", buf[:n], from, err, l.uniqueA)
	}
}

func TestForgedPacketsNeverReachAGuest(t *testing.T) {
	l := newTestLab(t)
	c := l.a1.udp("0.0.0.0", 9000)
	inner := func(src netip.Addr) []byte {
		return frame(vpc.MAC{2, 1}, vpc.MAC{2, 2}, 0x0800, ipv4(unix.IPPROTO_UDP, src, l.a1.port.IP, 0, udpBody(7, 9000, "forged")))
	}
	for _, f := range []struct {
		name  string
		from  *testNode
		vni   uint32
		src   netip.Addr
		count func(Counters) uint64
	}{
		{"a stranger as the gateway", l.forger, 10, member, func(c Counters) uint64 { return c.WrongVTEP }},
		{"a stranger as a guest", l.forger, 10, l.a2.port.IP, func(c Counters) uint64 { return c.WrongVTEP }},
		{"a gateway as a guest", l.gw, 10, l.a2.port.IP, func(c Counters) uint64 { return c.WrongVTEP }},
		{"a gateway nobody knows", l.gw, 10, ip("100.127.9.9"), func(c Counters) uint64 { return c.UnknownSource }},
		{"a guest that is local", l.host2, 10, l.a3.port.IP, func(c Counters) uint64 { return c.UnknownSource }},
		{"a source nobody knows", l.host2, 10, ip("192.168.1.77"), func(c Counters) uint64 { return c.UnknownSource }},
		{"a VNI without the guest", l.gw, 30, member, func(c Counters) uint64 { return c.Miss }},
	} {
		_, before, err := l.vswitch1.Counters()
		if err != nil {
			t.Fatal(err)
		}
		f.from.sendVXLAN(vtepH1, f.vni, inner(f.src))
		until(t, f.name+" is counted", func() bool {
			_, after, err := l.vswitch1.Counters()
			return err == nil && f.count(after) == f.count(before)+1
		})
		silent(t, f.name, c)
	}
	l.gw.sendVXLAN(vtepH1, 10, inner(member))
	_ = c.SetReadDeadline(time.Now().Add(patience))
	buf := make([]byte, 100)
	n, from, err := c.ReadFromUDPAddrPort(buf)
	if err != nil || string(buf[:n]) != "forged" || from.Addr() != member {
		t.Errorf("packet of the gateway: got %q from %s, %v; want it from %s", buf[:n], from, err, member)
	}
}

func TestGuestSpeaksOnlyForItsOwnAddress(t *testing.T) {
	l := newTestLab(t)
	c := l.gw.udp(member.String(), 9000)
	l.a1.address("eth0", "192.168.1.99/24")
	l.a1.address("eth0", l.a2.port.IP.String()+"/24")
	for _, src := range []string{"192.168.1.99", l.a2.port.IP.String()} {
		before, _, err := l.vswitch1.Counters()
		if err != nil {
			t.Fatal(err)
		}
		s := l.a1.udp(src, 0)
		if _, err := s.WriteToUDPAddrPort([]byte("borrowed"), netip.AddrPortFrom(member, 9000)); err != nil {
			t.Fatal(err)
		}
		until(t, "a packet from "+src+" is counted", func() bool {
			after, _, err := l.vswitch1.Counters()
			return err == nil && after.UnknownSource == before.UnknownSource+1
		})
		silent(t, "a packet from "+src, c)
	}
}

func TestTenantsCannotReachEachOther(t *testing.T) {
	l := newTestLab(t)
	// B1 asks for A2's address: in B's network nobody has it.
	c := l.a2.udp("0.0.0.0", 9000)
	before, _, err := l.vswitch1.Counters()
	if err != nil {
		t.Fatal(err)
	}
	s := l.b1.udp("0.0.0.0", 0)
	if _, err := s.WriteToUDPAddrPort([]byte("hello"), netip.AddrPortFrom(l.a2.port.IP, 9000)); err != nil {
		t.Fatal(err)
	}
	until(t, "the packet is counted", func() bool {
		after, _, err := l.vswitch1.Counters()
		return err == nil && after.Miss == before.Miss+1
	})
	silent(t, "a packet of another tenant", c)
}

func TestEveryARPRequestButForTheGuestItselfIsAnswered(t *testing.T) {
	l := newTestLab(t)
	var fd int
	index := l.a1.link("eth0").Attrs().Index
	l.a1.in(func() (err error) {
		if fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW, 0x0608); err != nil { // ETH_P_ARP in network order
			return err
		}
		return unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: 0x0608, Ifindex: index})
	})
	defer unix.Close(fd)
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Usec: 1000}); err != nil {
		t.Fatal(err)
	}
	before, _, err := l.vswitch1.Counters()
	if err != nil {
		t.Fatal(err)
	}
	// Its own address first: when the answer for the last one is there, an
	// answer for the first would have come before it.
	for _, target := range []string{"192.168.1.10", "192.168.1.1", "192.168.1.11", "10.1.2.3"} {
		request := []byte{0, 1, 8, 0, 6, 4, 0, 1}
		request = append(request, l.a1.port.MAC[:]...)
		request = append(request, l.a1.port.IP.AsSlice()...)
		request = append(request, make([]byte, 6)...)
		request = append(request, ip(target).AsSlice()...)
		broadcast := vpc.MAC{255, 255, 255, 255, 255, 255}
		if _, err := unix.Write(fd, frame(broadcast, l.a1.port.MAC, 0x0806, request)); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	until(t, "three answers", func() bool {
		buf := make([]byte, 1500)
		n, err := unix.Read(fd, buf)
		if err == nil && n >= 42 && buf[21] == 2 {
			mac := net.HardwareAddr(buf[22:28]).String()
			got = append(got, netip.AddrFrom4([4]byte(buf[28:32])).String()+" "+mac)
		}
		return len(got) == 3
	})
	const mac = " 02:00:00:00:00:01"
	if want := "192.168.1.1" + mac + ",192.168.1.11" + mac + ",10.1.2.3" + mac; strings.Join(got, ",") != want {
		t.Errorf("got answers %v, want %s", got, want)
	}
	after, _, err := l.vswitch1.Counters()
	if err != nil || after.ARP != before.ARP+3 {
		t.Errorf("counted %d answers (%v), want 3", after.ARP-before.ARP, err)
	}
}

func TestOnlyL4NodesMaySendThroughTheTunnel(t *testing.T) {
	pins := pinDir(t)
	server, l4, stranger := newTestNode(t), newTestNode(t), newTestNode(t)
	veth(t, server, "eth0", l4, "eth0", nil, 1600)
	veth(t, server, "eth1", stranger, "eth0", nil, 1600)
	server.address("eth0", "10.0.0.1/24")
	server.address("eth1", "10.0.1.1/24")
	l4.address("eth0", "10.0.0.2/24")
	stranger.address("eth0", "10.0.1.2/24")
	attrs := netlink.NewLinkAttrs()
	attrs.Name = "l4tun0"
	if err := server.nl.LinkAdd(&netlink.Vxlan{LinkAttrs: attrs, FlowBased: true, Port: 4789}); err != nil {
		t.Fatal(err)
	}
	server.up("l4tun0")
	server.address("lo", "203.0.113.10/32")
	on := server.iface("l4tun0")
	var tunnel *Tunnel
	server.in(func() (err error) {
		if tunnel, err = OpenTunnel(on, pins); err != nil {
			return err
		}
		if _, err := tunnel.PruneSources([]netip.Addr{ip("10.0.0.2")}); err != nil {
			return err
		}
		return tunnel.Attach()
	})
	defer tunnel.Close()
	c := server.udp("203.0.113.10", 80)
	inner := frame(vpc.MAC{2, 0, 0, 0, 0x40, 0}, vpc.MAC{2, 2}, 0x0800,
		ipv4(unix.IPPROTO_UDP, ip("198.51.100.7"), ip("203.0.113.10"), 0, udpBody(1234, 80, "request")))

	stranger.sendVXLAN(ip("10.0.1.1"), 1, inner)
	until(t, "the stranger is counted", func() bool { n, err := tunnel.Counters(); return err == nil && n.WrongVTEP == 1 })
	l4.sendVXLAN(ip("10.0.0.1"), 2, inner)
	until(t, "the wrong VNI is counted", func() bool { n, err := tunnel.Counters(); return err == nil && n.UnknownSource == 1 })
	silent(t, "a stranger's packet or one in a wrong VNI", c)

	l4.sendVXLAN(ip("10.0.0.1"), 1, inner)
	_ = c.SetReadDeadline(time.Now().Add(patience))
	buf := make([]byte, 100)
	n, from, err := c.ReadFromUDPAddrPort(buf)
	if err != nil || string(buf[:n]) != "request" || from != netip.MustParseAddrPort("198.51.100.7:1234") {
		t.Errorf("L4's packet: got %q from %s, %v; want the client's own address", buf[:n], from, err)
	}
}
