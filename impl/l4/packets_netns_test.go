//go:build netns

package l4

import (
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"

	"github.com/unilb/unilb/impl/l4/bpf"
	"github.com/unilb/unilb/sim/link"
)

func dialTimeout(network, address string, d time.Duration) (net.Conn, error) {
	return net.DialTimeout(network, address, d)
}

func isTimeout(err error) bool {
	var ne net.Error
	return errors.As(err, &ne) && ne.Timeout()
}

func listenIn(s *link.Stack, at string) (l net.Listener, err error) {
	err = s.NS().Do(func() error { l, err = net.Listen("tcp4", at); return err })
	return l, err
}

// A packet is built by hand: programs are asked about packets that no kernel
// sends.
type packet struct {
	src, dst   string
	proto      byte
	payload    []byte
	options    []byte // IP options
	fragment   uint16 // flags and offset as on the wire
	etherType  uint16 // zero: IPv4
	shortTotal bool   // the total length is a lie
}

func ipv4(p packet) []byte {
	head := make([]byte, 20+len(p.options))
	head[0] = 4<<4 | byte(len(head)/4)
	binary.BigEndian.PutUint16(head[2:], uint16(len(head)+len(p.payload)))
	if p.shortTotal {
		binary.BigEndian.PutUint16(head[2:], 7)
	}
	binary.BigEndian.PutUint16(head[6:], p.fragment)
	head[8], head[9] = 64, p.proto
	s, d := netip.MustParseAddr(p.src).As4(), netip.MustParseAddr(p.dst).As4()
	copy(head[12:], s[:])
	copy(head[16:], d[:])
	copy(head[20:], p.options)
	return append(head, p.payload...)
}

func frame(p packet) []byte {
	if p.etherType == 0 {
		p.etherType = 0x0800
	}
	eth := binary.BigEndian.AppendUint16(make([]byte, 12, 64), p.etherType)
	return append(eth, ipv4(p)...)
}

func tcp(src, dst uint16, flags byte) []byte {
	b := make([]byte, 20)
	binary.BigEndian.PutUint16(b, src)
	binary.BigEndian.PutUint16(b[2:], dst)
	b[12], b[13] = 5<<4, flags
	return b
}

func icmp(kind, code byte, body []byte) []byte {
	return append([]byte{kind, code, 0, 0, 0, 7, 0, 0}, body...)
}

const (
	fin, syn, rst, ack = 1, 2, 4, 16
	pass               = -1
	drop               = 2 // TC_ACT_SHOT
	redirect           = 7 // TC_ACT_REDIRECT
)

// TestEveryKindOfPacket asks the program that stands on the uplink what it does,
// and which counter says so.
func TestEveryKindOfPacket(t *testing.T) {
	l := newLab(t, 2)
	l.register(2)
	l.stop() // no probes while we count; the programs stay loaded with the pins
	l.start()
	quoted := func(src, dst string, sport, dport uint16) []byte {
		return ipv4(packet{src: src, dst: dst, proto: 6, payload: tcp(sport, dport, ack)[:8]})
	}
	const client = "198.51.100.7"
	for _, c := range []struct {
		name    string
		p       packet
		want    int
		counter string
	}{
		{"SYN", packet{proto: 6, payload: tcp(1000, 80, syn)}, redirect, "syn"},
		{"SYN again", packet{proto: 6, payload: tcp(1000, 80, syn)}, redirect, "syn"},
		{"data of a known connection", packet{proto: 6, payload: tcp(1000, 80, ack)}, redirect, "known"},
		{"FIN of a known connection", packet{proto: 6, payload: tcp(1000, 80, fin|ack)}, redirect, "known"},
		{"data of an unknown connection", packet{proto: 6, payload: tcp(1001, 80, ack)}, redirect, "ring"},
		{"then it is known", packet{proto: 6, payload: tcp(1001, 80, rst)}, redirect, "known"},
		{"RST of an unknown connection", packet{proto: 6, payload: tcp(1003, 80, rst)}, redirect, "ring"},
		{"which is not remembered", packet{proto: 6, payload: tcp(1003, 80, ack)}, redirect, "ring"},
		{"SYN and ACK begin nothing", packet{proto: 6, payload: tcp(1001, 80, syn|ack)}, redirect, "known"},
		{"datagram", packet{proto: 17, payload: tcp(1000, 443, 0)[:8]}, redirect, "ring"},
		{"TCP port over UDP", packet{proto: 17, payload: tcp(1000, 80, 0)[:8]}, drop, "unknown_port"},
		{"unknown port", packet{proto: 6, payload: tcp(1000, 81, syn)}, drop, "unknown_port"},
		{"GRE", packet{proto: 47, payload: make([]byte, 20)}, drop, "bad_protocol"},
		{"first fragment", packet{proto: 17, payload: tcp(1000, 443, 0)[:8], fragment: 0x2000}, drop, "fragment"},
		{"last fragment", packet{proto: 17, payload: make([]byte, 64), fragment: 185}, drop, "fragment"},
		{"DF is no fragment", packet{proto: 6, payload: tcp(1002, 80, syn), fragment: 0x4000}, redirect, "syn"},
		{"IP options", packet{proto: 6, payload: tcp(1000, 80, syn), options: []byte{1, 1, 1, 0}}, drop, "ip_options"},
		{"cut TCP header", packet{proto: 6, payload: tcp(1000, 80, syn)[:10]}, drop, "malformed"},
		{"cut UDP header", packet{proto: 17, payload: make([]byte, 3)}, drop, "malformed"},
		{"cut ICMP header", packet{proto: 1, payload: make([]byte, 4)}, drop, "malformed"},
		{"total length too small", packet{proto: 6, payload: tcp(1000, 80, syn), shortTotal: true}, drop, "malformed"},
		{"ping", packet{proto: 1, payload: icmp(8, 0, nil)}, redirect, "icmp_echo"},
		{"ping answer", packet{proto: 1, payload: icmp(0, 0, nil)}, drop, "icmp_other"},
		{"ICMP redirect", packet{proto: 1, payload: icmp(5, 1, quoted(labVIP, client, 80, 1000))}, drop, "icmp_other"},
		{"fragmentation needed", packet{proto: 1, payload: icmp(3, 4, quoted(labVIP, client, 80, 1000))}, redirect, "icmp_error"},
		{"time exceeded of an unknown flow", packet{proto: 1, payload: icmp(11, 0, quoted(labVIP, client, 80, 4000))}, redirect, "icmp_error"},
		{"error that quotes another port", packet{proto: 1, payload: icmp(3, 4, quoted(labVIP, client, 81, 1000))}, drop, "icmp_stray"},
		{"error that quotes another address", packet{proto: 1, payload: icmp(3, 4, quoted("192.0.2.1", client, 80, 1000))}, drop, "icmp_stray"},
		{"error that quotes too little", packet{proto: 1, payload: icmp(3, 4, quoted(labVIP, client, 80, 1000)[:22])}, drop, "malformed"},
		{"to somebody else", packet{dst: "203.0.113.99", proto: 6, payload: tcp(1000, 80, syn)}, pass, ""},
		{"to our own address", packet{dst: l4IP, proto: 6, payload: tcp(1000, 80, syn)}, pass, ""},
		{"IPv6", packet{proto: 6, payload: tcp(1000, 80, syn), etherType: 0x86dd}, pass, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.p.dst == "" {
				c.p.dst = labVIP
			}
			c.p.src = client
			before, err := l.plane.Counters()
			must(t, err)
			got, err := l.run(l.plane.objs.L4Uplink, frame(c.p))
			must(t, err)
			if got != c.want {
				t.Errorf("program answers %d, want %d", got, c.want)
			}
			after, err := l.plane.Counters()
			must(t, err)
			for name, n := range after {
				if name == "forwarded" || name == "forwarded_bytes" || name == "probe" {
					continue
				}
				want := before[name]
				if name == c.counter {
					want++
				}
				if n != want {
					t.Errorf("counter %s: got %d, want %d", name, n, want)
				}
			}
			if forwarded := after["forwarded"] - before["forwarded"]; (forwarded == 1) != (c.want == redirect) {
				t.Errorf("counted %d as forwarded", forwarded)
			}
		})
	}
}

// run asks a program about a frame. Nothing is sent: the redirect is only
// announced.
func (l *lab) run(p *ebpf.Program, b []byte) (int, error) {
	ret, err := p.Run(&ebpf.RunOptions{Data: b})
	return int(int32(ret)), err
}

// alone is the data path with n gateways and nobody who follows etcd.
func (l *lab) alone(n int) *Datapath {
	l.t.Helper()
	l.register(n)
	l.stop()
	must(l.t, l.l4.NS().Do(func() (err error) {
		l.plane.Datapath, err = OpenDatapath(DatapathOptions{PinDir: l.pins, Uplink: "eth0", Underlay: netip.MustParseAddr(l4IP)})
		return err
	}))
	l.t.Cleanup(func() { l.plane.Close() })
	return l.plane.Datapath
}

// The table is consulted before the ring, and its member's state before both.
func TestTableAndStateDecideTogether(t *testing.T) {
	l := newLab(t, 2)
	d := l.alone(2)
	const client = "198.51.100.7"
	src, dst := netip.MustParseAddrPort(client+":1000"), netip.MustParseAddrPort(labVIP+":80")
	ring := BuildRing(d.adopted.Rings[PoolGateway])
	byRing := ring.At(slotOf(src, dst, TCP))
	other := ring.members[0].Addr
	if other == byRing {
		other = ring.members[1].Addr
	}
	key := bpf.L4Flow{Saddr: be32(src.Addr()), Daddr: be32(dst.Addr()), Sport: be16(1000), Dport: be16(80), Proto: 6}
	for _, c := range []struct {
		name  string
		flags byte
		state State // of the member in the table
		want  netip.Addr
	}{
		{"known and up", ack, Up, other},
		{"known and draining", ack, Draining, other},
		{"known and down", ack, Down, byRing},
		{"known and never judged", ack, Unknown, byRing},
		{"new connection on old ports", syn, Up, byRing},
	} {
		t.Run(c.name, func(t *testing.T) {
			want := Desired{VIPs: d.adopted.VIPs, Rings: map[Pool]Ring{PoolGateway: ring}}
			for _, r := range d.adopted.Members {
				if r.Addr == other {
					r.State = c.state
				}
				want.Members = append(want.Members, r)
			}
			must(t, d.Apply(want))
			must(t, d.objs.Conns.Put(key, entry(t, other, bpf.L4ConnStateCONN_OPEN, 0)))
			got, err := l.run(d.objs.L4Uplink, frame(packet{src: client, dst: labVIP, proto: 6, payload: tcp(1000, 80, c.flags)}))
			must(t, err)
			if got != redirect {
				t.Errorf("program answers %d, want %d", got, redirect)
			}
			var to bpf.L4Conn
			must(t, d.objs.Conns.Lookup(key, &to))
			if addrOf(to.Addr) != c.want {
				t.Errorf("table says %s, want %s", addrOf(to.Addr), c.want)
			}
		})
	}
	t.Run("without a ring", func(t *testing.T) {
		must(t, d.Apply(Desired{VIPs: d.adopted.VIPs}))
		got, err := l.run(d.objs.L4Uplink, frame(packet{src: client, dst: labVIP, proto: 6, payload: tcp(1000, 80, syn)}))
		must(t, err)
		if got != drop || l.counter("no_member") == 0 {
			t.Errorf("program answers %d, want %d and a count", got, drop)
		}
	})
}

// entry is one of the connection table, of a connection that was silent for so long.
func entry(t *testing.T, member netip.Addr, state bpf.L4ConnState, silent int) bpf.L4Conn {
	t.Helper()
	var now unix.Timespec
	must(t, unix.ClockGettime(unix.CLOCK_MONOTONIC_COARSE, &now)) // as the programs do
	return bpf.L4Conn{Addr: be32(member), Seen: uint32(int(now.Sec) - silent), State: state}
}

// TestConnectionsLeaveTheTable: what an earlier connection of the same ports left
// must not send a later one, which another L4 node has placed by the ring, elsewhere.
func TestConnectionsLeaveTheTable(t *testing.T) {
	l := newLab(t, 2)
	d := l.alone(2)
	const client = "198.51.100.7"
	src, dst := netip.MustParseAddrPort(client+":1000"), netip.MustParseAddrPort(labVIP+":80")
	ring := BuildRing(d.adopted.Rings[PoolGateway])
	byRing := ring.At(slotOf(src, dst, TCP))
	other := ring.members[0].Addr
	if other == byRing {
		other = ring.members[1].Addr
	}
	const none = bpf.L4ConnStateCONN_NONE
	const begun, open, closing, reset = bpf.L4ConnStateCONN_NEW, bpf.L4ConnStateCONN_OPEN, bpf.L4ConnStateCONN_CLOSING, bpf.L4ConnStateCONN_RESET
	key := bpf.L4Flow{Saddr: be32(src.Addr()), Daddr: be32(dst.Addr()), Sport: be16(1000), Dport: be16(80), Proto: 6}
	for _, c := range []struct {
		name   string
		state  bpf.L4ConnState // in the table
		silent int             // seconds
		flags  byte
		want   netip.Addr
		after  bpf.L4ConnState
	}{
		{"goes on", open, 0, ack, other, open},
		{"was seen by another CPU in the next second", open, -1, ack, other, open},
		{"goes on after a long silence", open, 890, ack, other, open},
		{"silent for too long", open, 910, ack, byRing, open},
		{"opens", begun, 0, ack, other, open},
		{"opens late", begun, 50, ack, other, open},
		{"was never opened", begun, 70, ack, byRing, open},
		{"ends", open, 0, fin | ack, other, closing},
		{"takes an answer after its end", closing, 50, ack, other, closing},
		{"of ports that were used before", closing, 70, ack, byRing, open},
		{"is reset", open, 0, rst, other, reset},
		{"goes on after a reset that was none", reset, 8, ack, other, open},
		{"of ports that were used before, and reset", reset, 12, ack, byRing, open},
		{"begins on ports that were used before", closing, 1, syn, byRing, begun},
		{"is of no state", none, 0, ack, byRing, open},
	} {
		t.Run(c.name, func(t *testing.T) {
			must(t, d.objs.Conns.Put(key, entry(t, other, c.state, c.silent)))
			ret, err := l.run(d.objs.L4Uplink, frame(packet{src: client, dst: labVIP, proto: 6, payload: tcp(1000, 80, c.flags)}))
			if err != nil || ret != redirect {
				t.Fatalf("program answers %d, %v, want %d", ret, err, redirect)
			}
			var got bpf.L4Conn
			err = d.objs.Conns.Lookup(key, &got)
			if err != nil || addrOf(got.Addr) != c.want || got.State != c.after || int32(got.Seen-entry(t, other, open, 5).Seen) < 0 {
				t.Errorf("table says %s %+v, %v, want %s in state %d, seen now", addrOf(got.Addr), got, err, c.want, c.after)
			}
		})
	}
}

func TestForgedTunnelPacketIsDropped(t *testing.T) {
	l := newLab(t, 1)
	l.register(1)
	s, err := listenUDP(l.l4, l4IP+":5353")
	must(t, err)
	defer s.Close()
	vxlan := []byte{8, 0, 0, 0, 0, 0, 1, 0}
	inner := frame(packet{src: "100.127.0.1", dst: l4IP, proto: 17, payload: []byte{0x14, 0xe9, 0x14, 0xe9, 0, 8, 0, 0}})
	copy(inner, tunnelMAC)
	var c net.Conn
	must(t, l.client.NS().Do(func() (err error) { c, err = net.Dial("udp4", l4IP+":4790"); return err }))
	defer c.Close()
	_, err = c.Write(append(vxlan, inner...))
	must(t, err)
	eventually(t, "counted as arrived through the tunnel", func() bool { return l.counter("tunnel_in") > 0 })
	must(t, s.SetReadDeadline(time.Now().Add(50*time.Millisecond)))
	if _, from, err := s.ReadFrom(make([]byte, 64)); err == nil {
		t.Errorf("a forged packet from %s was let in", from)
	}
}

func listenUDP(s *link.Stack, at string) (c net.PacketConn, err error) {
	err = s.NS().Do(func() error { c, err = net.ListenPacket("udp4", at); return err })
	return c, err
}

// Ping goes the whole way, so its answer says that a member is there.
func TestPingIsAnsweredByAMember(t *testing.T) {
	l := newLab(t, 1)
	l.register(1)
	var c net.PacketConn
	must(t, l.client.NS().Do(func() (err error) { c, err = net.ListenPacket("ip4:icmp", clientIP); return err }))
	defer c.Close()
	echo := icmp(8, 0, []byte("ping"))
	binary.BigEndian.PutUint16(echo[2:], checksum(echo))
	_, err := c.WriteTo(echo, &net.IPAddr{IP: net.ParseIP(labVIP)})
	must(t, err)
	must(t, c.SetReadDeadline(time.Now().Add(patience)))
	buf := make([]byte, 64)
	n, from, err := c.ReadFrom(buf)
	must(t, err)
	if from.String() != labVIP || buf[0] != 0 || string(buf[8:n]) != "ping" {
		t.Errorf("answer %x from %s", buf[:n], from)
	}
}

func checksum(b []byte) uint16 {
	sum := uint32(0)
	for ; len(b) > 1; b = b[2:] {
		sum += uint32(binary.BigEndian.Uint16(b))
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}
