//go:build netns

package fnat

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"testing"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"

	"github.com/unilb/unilb/impl/fnat/bpf"
	"github.com/unilb/unilb/impl/fnat/model"
	"github.com/unilb/unilb/impl/vpc"
)

// mutations is how many damaged copies of each fixture are tried.
const mutations = 200

// TestProgramsDoWhatTheModelSays runs the programs on fixtures and on damaged
// copies of them, and compares verdict, counter and every byte with the model.
// The seed is logged; FNAT_TEST_SEED puts it back.
func TestProgramsDoWhatTheModelSays(t *testing.T) {
	pins := pinDir(t)
	n := newTestNode(t)
	n.vxlan("fnat0", 4789, true)
	on := n.iface("fnat0")
	guests := []vpc.Mapping{
		{UniqueIP: ip("100.64.0.10"), VNI: 10, VPCIP: ip("192.168.1.10"), MAC: vpc.MAC{2, 0, 0, 0, 1, 10}, VTEP: vtepH1, Generation: 1},
		{UniqueIP: ip("100.64.0.20"), VNI: 20, VPCIP: ip("192.168.1.10"), MAC: vpc.MAC{2, 0, 0, 0, 2, 10}, VTEP: vtepH1, Generation: 3},
		{UniqueIP: ip("100.64.0.11"), VNI: 10, VPCIP: ip("192.168.1.11"), MAC: vpc.MAC{2, 0, 0, 0, 1, 11}, VTEP: vtepH2, Generation: 1},
	}
	seed := rand.Uint64()
	if s := os.Getenv("FNAT_TEST_SEED"); s != "" {
		fmt.Sscan(s, &seed)
	}
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	n.in(func() error {
		g, err := OpenGateway(GatewayOptions{Interface: on, Member: member, VTEP: vtepGW, PinDir: pins})
		if err != nil {
			return err
		}
		defer g.Close()
		if _, err := g.Prune(guests); err != nil {
			return err
		}
		j, err := newJudge(g, guests)
		if err != nil {
			return err
		}
		defer j.harness.Close()
		for _, f := range fixtures() {
			if err := j.compare(f.frame, f.from); err != nil {
				t.Errorf("%s: %v", f.name, err)
			}
			for range mutations {
				if err := j.compare(damage(r, f.frame), f.from); err != nil {
					t.Errorf("damaged %s: %v", f.name, err)
					break
				}
			}
		}
		t.Logf("forwarded %d, dropped %d", j.forwarded, j.dropped)
		if j.forwarded < 100 || j.dropped < 100 {
			t.Errorf("forwarded %d and dropped %d packets: one side was hardly examined", j.forwarded, j.dropped)
		}
		return nil
	})
}

func ip(s string) netip.Addr { return netip.MustParseAddr(s) }

// A fixture is a frame; a from of the zero value means on its way out.
type fixture struct {
	name  string
	frame []byte
	from  model.Tunnel
}

func fixtures() []fixture {
	var (
		uni, guest, other, router = ip("100.64.0.10"), ip("192.168.1.10"), ip("192.168.1.11"), ip("192.168.1.254")
		own                       = model.Tunnel{VNI: 10, VTEP: vtepH1}
		udp                       = func(src, dst netip.Addr) []byte {
			return ipv4(unix.IPPROTO_UDP, src, dst, 0, udpBody(7777, 7, "0123456789abcdef"))
		}
		tcp = func(src, dst netip.Addr) []byte {
			return ipv4(unix.IPPROTO_TCP, src, dst, 0x4000, tcpBody(7777, 7, "0123456789abcdef"))
		}
		about = func(kind, code byte, rest uint32, src, dst netip.Addr, cause []byte) []byte {
			return ipv4(unix.IPPROTO_ICMP, src, dst, 0, icmpError(kind, code, rest, cause))
		}
		noSum = udp(guest, member)
	)
	binary.BigEndian.PutUint16(noSum[26:], 0)
	eth := func(p []byte) []byte { return frame(vpc.MAC{2, 1}, vpc.MAC{2, 2}, 0x0800, p) }
	out := []fixture{
		{name: "UDP out", frame: eth(udp(member, uni))},
		{name: "TCP out", frame: eth(tcp(member, uni))},
		{name: "UDP out to nobody", frame: eth(udp(member, ip("100.64.0.99")))},
		{name: "first fragment out", frame: eth(ipv4(unix.IPPROTO_UDP, member, uni, 0x2000, udpBody(1, 7, "part")))},
		{name: "later fragment out", frame: eth(ipv4(unix.IPPROTO_UDP, member, uni, 0x2003, []byte("another part")))},
		{name: "port unreachable out", frame: eth(about(3, 3, 0, member, uni, udp(uni, member)))},
		{name: "port unreachable out about somebody else", frame: eth(about(3, 3, 0, member, uni, udp(ip("100.64.0.20"), member)))},
		{name: "ping out", frame: eth(about(8, 0, 1, member, uni, []byte("payload")))},
		{name: "ARP out", frame: frame(vpc.MAC{2, 1}, vpc.MAC{2, 2}, 0x0806, make([]byte, 28))},
		{name: "another protocol out", frame: eth(ipv4(132, member, uni, 0, make([]byte, 32)))},
	}
	in := []fixture{
		{name: "UDP in", frame: eth(udp(guest, member)), from: own},
		{name: "UDP without checksum in", frame: eth(noSum), from: own},
		{name: "TCP in", frame: eth(tcp(guest, member)), from: own},
		{name: "the other tenant's in", frame: eth(tcp(guest, member)), from: model.Tunnel{VNI: 20, VTEP: vtepH1}},
		{name: "wrong VNI", frame: eth(udp(guest, member)), from: model.Tunnel{VNI: 30, VTEP: vtepH1}},
		{name: "address of the other VNI", frame: eth(udp(other, member)), from: model.Tunnel{VNI: 20, VTEP: vtepH2}},
		{name: "wrong VTEP", frame: eth(udp(guest, member)), from: model.Tunnel{VNI: 10, VTEP: vtepBad}},
		{name: "to the underlay", frame: eth(udp(guest, vtepGW)), from: own},
		{name: "port unreachable in", frame: eth(about(3, 3, 0, guest, member, udp(member, guest))), from: own},
		{name: "fragmentation needed by a router", frame: eth(about(3, 4, 1200, router, member, tcp(member, guest))), from: own},
		{name: "the same from another host", frame: eth(about(3, 4, 1200, router, member, tcp(member, guest))), from: model.Tunnel{VNI: 10, VTEP: vtepH2}},
		{name: "about an address that is not mapped", frame: eth(about(3, 4, 1200, guest, member, tcp(member, ip("10.9.9.9")))), from: own},
		{name: "about somebody else's packet", frame: eth(about(3, 4, 1200, guest, member, tcp(vtepGW, guest))), from: own},
		{name: "about another guest", frame: eth(about(3, 1, 0, guest, member, udp(member, other))), from: own},
		{name: "redirect in", frame: eth(about(5, 1, 0x0a000042, guest, member, udp(member, guest))), from: own},
		{name: "later fragment in", frame: eth(ipv4(unix.IPPROTO_UDP, guest, member, 0x2003, []byte("another part"))), from: own},
		{name: "IPv6 in", frame: frame(vpc.MAC{2, 1}, vpc.MAC{2, 2}, 0x86dd, make([]byte, 40)), from: own},
	}
	return append(out, in...)
}

// damage returns a copy with one byte changed behind the Ethernet header, or
// with its end cut off.
func damage(r *rand.Rand, f []byte) []byte {
	c := append([]byte(nil), f...)
	if r.IntN(4) == 0 {
		return c[:14+r.IntN(len(c)-14)]
	}
	c[14+r.IntN(len(c)-14)] ^= 1 << r.IntN(8)
	return c
}

// judge runs one frame through program and model.
type judge struct {
	g                  *Gateway
	m                  *model.Gateway
	harness            bpf.TestrunObjects
	forwarded, dropped int
}

func newJudge(g *Gateway, guests []vpc.Mapping) (*judge, error) {
	j := &judge{g: g, m: model.New(member, guests)}
	if err := bpf.LoadTestrunObjects(&j.harness, nil); err != nil {
		return nil, err
	}
	return j, j.harness.Target.Put(uint32(0), g.objects.FnatIngress)
}

func (j *judge) compare(f []byte, from model.Tunnel) error {
	// The kernel runs no program on less than the header of an IP packet.
	if len(f) < 34 || f[12] == 0x86 && len(f) < 54 {
		return nil
	}
	var (
		want    []byte
		verdict model.Verdict
		program = j.g.objects.FnatEgress
		context = make([]byte, 192) // struct __sk_buff
	)
	if from == (model.Tunnel{}) {
		want, _, verdict = j.m.Egress(f)
	} else {
		want, verdict = j.m.Ingress(f, from)
		program = j.harness.InTunnel
		binary.NativeEndian.PutUint32(context[48:], from.VNI)             // cb[0]
		binary.NativeEndian.PutUint32(context[52:], hostOrder(from.VTEP)) // cb[1]
	}
	before, err := j.counts(from)
	if err != nil {
		return err
	}
	got := make([]byte, len(f)+64)
	o := &ebpf.RunOptions{Data: f, DataOut: got, Context: context}
	code, err := program.Run(o)
	if err != nil {
		return fmt.Errorf("run program on %x: %w", f, err)
	}
	after, err := j.counts(from)
	if err != nil {
		return err
	}
	if reason := counted(before, after); reason != verdict {
		return fmt.Errorf("program counted %q, model says %q\nframe %x", reason, verdict, f)
	}
	if verdict != model.Forward {
		j.dropped++
		if int32(code) != 2 {
			return fmt.Errorf("verdict %q, but the program returned %d\nframe %x", verdict, int32(code), f)
		}
		return nil
	}
	j.forwarded++
	if int32(code) != -1 {
		return fmt.Errorf("forwarded, but the program returned %d\nframe %x", int32(code), f)
	}
	if !same(o.DataOut, want) {
		return fmt.Errorf("program and model made different frames\nframe   %x\nprogram %x\nmodel   %x", f, o.DataOut, want)
	}
	return nil
}

func (j *judge) counts(from model.Tunnel) (Counters, error) {
	out, in, err := j.g.Counters()
	if from == (model.Tunnel{}) {
		return out, err
	}
	return in, err
}

// counted names the counter that grew.
func counted(a, b Counters) model.Verdict {
	switch {
	case b.Packets > a.Packets:
		return model.Forward
	case b.Miss > a.Miss:
		return model.Miss
	case b.UnknownSource > a.UnknownSource:
		return model.UnknownSource
	case b.WrongVTEP > a.WrongVTEP:
		return model.WrongVTEP
	case b.WrongDestination > a.WrongDestination:
		return model.WrongDestination
	case b.NotIPv4 > a.NotIPv4:
		return model.NotIPv4
	case b.Error > a.Error:
		return model.Error
	}
	return "nothing"
}

// same compares frames. A checksum of 0 and one of 0xffff are the same number.
func same(a, b []byte) bool {
	if len(a) != len(b) {
		return false
	}
	for i := 0; i+1 < len(a); i += 2 {
		x, y := binary.BigEndian.Uint16(a[i:]), binary.BigEndian.Uint16(b[i:])
		if x != y && (min(x, y) != 0 || max(x, y) != 0xffff) {
			return false
		}
	}
	return len(a)%2 == 0 || a[len(a)-1] == b[len(b)-1]
}
