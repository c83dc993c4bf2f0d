//go:build netns

package wire_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/netip"
	"runtime"
	"testing"
	"time"

	"github.com/unilb/unilb/sim/link"
	"github.com/unilb/unilb/sim/netns"
	"github.com/unilb/unilb/sim/sandbox"
	"github.com/unilb/unilb/sim/wire"
	"github.com/unilb/unilb/topology"
)

func TestMain(m *testing.M) { sandbox.Main(m) }

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func stack(t testing.TB) *link.Stack {
	t.Helper()
	ns, err := netns.New()
	must(t, err)
	s, err := link.Open(ns)
	must(t, err)
	t.Cleanup(func() { s.Close(); ns.Close() })
	must(t, s.Prepare(false))
	return s
}

// cable lays a cable between 10.0.0.1 (a) and 10.0.0.0 (b).
func cable(t testing.TB, o wire.Options) (a, b *link.Stack, c wire.Wire) {
	t.Helper()
	sandbox.Require(t, sandbox.CapNetNS, sandbox.CapTUN)
	a, b = stack(t), stack(t)
	c, err := wire.Lay(
		link.End{Stack: a, Name: "w0", MTU: 1600, Alias: "a--b", Owner: "lbsim.test.w0"},
		link.End{Stack: b, Name: "w0", MTU: 1600, Alias: "a--b"}, o)
	must(t, err)
	t.Cleanup(func() { c.Close() })
	address(t, a, b)
	return a, b, c
}

func address(t testing.TB, a, b *link.Stack) {
	t.Helper()
	must(t, a.Address("w0", netip.MustParsePrefix("10.0.0.1/31")))
	must(t, b.Address("w0", netip.MustParsePrefix("10.0.0.0/31")))
}

// echo answers datagrams inside s.
func echo(t testing.TB, s *link.Stack, at string) {
	t.Helper()
	var c net.PacketConn
	must(t, s.NS().Do(func() (err error) { c, err = net.ListenPacket("udp4", at); return err }))
	t.Cleanup(func() { c.Close() })
	go func() {
		buf := make([]byte, 2048)
		for {
			n, from, err := c.ReadFrom(buf)
			if err != nil {
				return
			}
			_, _ = c.WriteTo(buf[:n], from)
		}
	}()
}

func dial(t testing.TB, s *link.Stack, network, to string) net.Conn {
	t.Helper()
	var c net.Conn
	must(t, s.NS().Do(func() (err error) { c, err = net.Dial(network, to); return err }))
	t.Cleanup(func() { c.Close() })
	return c
}

// trip sends a datagram and waits for the answer; false when none came in time.
func trip(t testing.TB, c net.Conn, within time.Duration) (time.Duration, bool) {
	t.Helper()
	start := time.Now()
	_, err := c.Write([]byte("ping"))
	must(t, err)
	must(t, c.SetReadDeadline(start.Add(within)))
	if _, err := c.Read(make([]byte, 16)); err != nil {
		var ne net.Error
		if !errors.As(err, &ne) || !ne.Timeout() {
			t.Fatal(err)
		}
		return 0, false
	}
	return time.Since(start), true
}

func delayBoth(t testing.TB, w wire.Wire, d time.Duration) {
	t.Helper()
	must(t, w.Impair(wire.AToB, topology.Impairment{Delay: d}))
	must(t, w.Impair(wire.BToA, topology.Impairment{Delay: d}))
}

func TestDelayHoldsAndCanBeChanged(t *testing.T) {
	a, b, c := cable(t, wire.Options{})
	echo(t, b, "10.0.0.0:7")
	conn := dial(t, a, "udp4", "10.0.0.0:7")
	if _, ok := trip(t, conn, patience); !ok {
		t.Fatal("no answer over a cable without delay")
	}
	for _, delay := range []time.Duration{5 * time.Millisecond, 25 * time.Millisecond} {
		delayBoth(t, c, delay)
		// None is faster than that, and on however busy a machine one is hardly slower.
		fastest := time.Hour
		for n, end := 0, time.Now().Add(patience); n < 5 || fastest > 2*delay+50*time.Millisecond && time.Now().Before(end); n++ {
			rtt, ok := trip(t, conn, patience)
			if !ok {
				t.Fatalf("no answer with a delay of %v", delay)
			}
			fastest = min(fastest, rtt)
		}
		if fastest < 2*delay || fastest > 2*delay+50*time.Millisecond {
			t.Errorf("round trip with %v one way: got %v", delay, fastest)
		}
	}
}

func TestCutIsSilentAndOneWay(t *testing.T) {
	a, b, c := cable(t, wire.Options{})
	echo(t, b, "10.0.0.0:7")
	conn := dial(t, a, "udp4", "10.0.0.0:7")
	if _, ok := trip(t, conn, patience); !ok {
		t.Fatal("no answer before the cut")
	}
	c.Cut(wire.BToA, true)
	if _, ok := trip(t, conn, 100*time.Millisecond); ok {
		t.Error("an answer came through the cut direction")
	}
	if up, err := a.IsUp("w0"); err != nil || !up {
		t.Errorf("the end noticed the cut: up=%t, %v", up, err)
	}
	if s := c.Stats(wire.BToA); s.Cut == 0 {
		t.Errorf("frames lost to the cut are not counted: %+v", s)
	}
	if s := c.Stats(wire.AToB); s.Cut != 0 {
		t.Errorf("the other direction lost frames: %+v", s)
	}
	c.Cut(wire.BToA, false)
	if _, ok := trip(t, conn, patience); !ok {
		t.Error("no answer after the cable was mended")
	}
}

func TestBulkArrivesIntact(t *testing.T) {
	a, b, c := cable(t, wire.Options{AB: topology.Impairment{Delay: time.Millisecond}, BA: topology.Impairment{Delay: time.Millisecond}})
	var l net.Listener
	must(t, b.NS().Do(func() (err error) { l, err = net.Listen("tcp4", "10.0.0.0:7"); return err }))
	defer l.Close()
	const size = 32 << 20
	want := make([]byte, size)
	for i := range want {
		want[i] = byte(i * 7 >> 3)
	}
	got := make(chan []byte)
	go func() {
		conn, err := l.Accept()
		if err != nil {
			got <- nil
			return
		}
		all, _ := io.ReadAll(conn)
		got <- all
	}()
	conn := dial(t, a, "tcp4", "10.0.0.0:7")
	start := time.Now()
	_, err := conn.Write(want)
	must(t, err)
	must(t, conn.Close())
	if !bytes.Equal(<-got, want) {
		t.Error("the bytes differ")
	}
	t.Logf("%d MiB in %v, %+v", size>>20, time.Since(start), c.Stats(wire.AToB))
	if s := c.Stats(wire.AToB); s.Frames > size/4000 {
		t.Errorf("%d frames for %d bytes: large segments do not cross whole", s.Frames, size)
	}
}

func TestFullQueueLosesAndCounts(t *testing.T) {
	a, b, c := cable(t, wire.Options{Queue: 4096})
	echo(t, b, "10.0.0.0:7")
	conn := dial(t, a, "udp4", "10.0.0.0:7")
	if _, ok := trip(t, conn, patience); !ok {
		t.Fatal("no answer over an empty cable")
	}
	delayBoth(t, c, 10*time.Second)
	before := c.Stats(wire.AToB)
	for range 10 {
		_, err := conn.Write(make([]byte, 1400))
		must(t, err)
	}
	deadline := time.Now().Add(patience)
	for c.Stats(wire.AToB).Full < 8 && time.Now().Before(deadline) {
		runtime.Gosched() // the reader counts what it cannot queue
	}
	if s := c.Stats(wire.AToB); s.Full != 8 || s.Frames != before.Frames {
		t.Errorf("with room for 2 of 10 frames: %+v, before %+v", s, before)
	}
}

func TestCloseRemovesBothEndsAndMayBeRepeated(t *testing.T) {
	a, b, c := cable(t, wire.Options{})
	must(t, c.Close())
	must(t, c.Close())
	for _, s := range []*link.Stack{a, b} {
		names, err := s.Interfaces()
		must(t, err)
		if len(names) != 1 {
			t.Errorf("interfaces after Close: %v, want lo alone", names)
		}
	}
}
