//go:build netns

package wire_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/unilb/unilb/sim/link"
	"github.com/unilb/unilb/sim/wire"
	"github.com/unilb/unilb/topology"
)

func TestRateSpreadsFramesAndLosesWhatWouldWaitTooLong(t *testing.T) {
	const n, frame = 50, 1042 // bytes of the Ethernet frame
	rate := int64(n * frame * 8 * 10)
	a, b, w := cable(t, onlyAB(topology.Impairment{}))
	r, c := receiver(t, b, "10.0.0.0:7"), dial(t, a, "udp4", "10.0.0.0:7")
	meet(t, c, r)
	must(t, w.Impair(wire.AToB, topology.Impairment{Rate: rate}))
	start := time.Now()
	number(t, c, n, 1000)
	if got := arrivals(t, r, n); !slices.IsSorted(got) {
		t.Errorf("order: %v", got)
	}
	if took := time.Since(start); took < 100*time.Millisecond || took > 5*time.Second {
		t.Errorf("%d frames of %d bytes at %d bit/s: got %v, want 100ms", n, frame, rate, took)
	}
	// 250 ms of backlog are 125 frames, and one is on the line; more find room
	// while the burst is being sent.
	before := w.Stats(wire.AToB)
	start = time.Now()
	number(t, c, 6*n, 1000)
	s := await(t, w, wire.AToB, "burst", func(s wire.Stats) bool { return s.Entered >= before.Entered+6*n })
	sent := int(time.Since(start)/(2*time.Millisecond)) + 1
	const slack = 5 // a frame of ARP may be among them
	if full := int(s.Full); full > 6*n-125+slack || full < 6*n-126-slack-sent {
		t.Errorf("burst of %d frames into a backlog of 125, and %d sent meanwhile: lost %d", 6*n, sent, full)
	}
}

func TestMaxPacketIsASilentBlackHole(t *testing.T) {
	a, b, w := cable(t, onlyAB(topology.Impairment{MaxPacket: 1300}))
	r, c := receiver(t, b, "10.0.0.0:7"), dial(t, a, "udp4", "10.0.0.0:7")
	for _, payload := range []int{1273, 1272} { // 28 bytes of headers
		number(t, c, 1, payload)
	}
	arrivals(t, r, 1)
	nothing(t, r)
	if s := w.Stats(wire.AToB); s.TooLong != 1 || s.Frames < 1 {
		t.Errorf("counters: %+v, want 1 too long", s)
	}
	// A connection whose packets are small passes, although its segments are not.
	payload := make([]byte, 4<<20)
	if got := transfer(t, a, b, "10.0.0.0:8", payload, 1000); !bytes.Equal(got, payload) {
		t.Errorf("small packets: got %d bytes of %d", len(got), len(payload))
	}
	if s := w.Stats(wire.AToB); s.TooLong != 1 || s.Frames > 3000 {
		t.Errorf("counters after 4 MiB in small packets that cross uncut: %+v", s)
	}
}

// transfer sends payload over TCP and returns what arrived; mss 0 is the kernel's.
func transfer(t testing.TB, a, b *link.Stack, at string, payload []byte, mss int) []byte {
	t.Helper()
	var l net.Listener
	must(t, b.NS().Do(func() (err error) { l, err = net.Listen("tcp4", at); return err }))
	defer l.Close()
	got := make(chan []byte, 1)
	go func() {
		c, err := l.Accept()
		if err != nil {
			got <- nil
			return
		}
		defer c.Close()
		_ = c.SetReadDeadline(time.Now().Add(6 * patience))
		all, _ := io.ReadAll(c)
		got <- all
	}()
	d := net.Dialer{Timeout: patience, Control: func(_, _ string, c syscall.RawConn) (err error) {
		_ = c.Control(func(fd uintptr) {
			if err = unix.SetsockoptString(int(fd), unix.IPPROTO_TCP, unix.TCP_CONGESTION, "cubic"); err == nil && mss > 0 {
				err = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_MAXSEG, mss)
			}
		})
		return err
	}}
	var c net.Conn
	must(t, a.NS().Do(func() (err error) { c, err = d.DialContext(context.Background(), "tcp4", at); return err }))
	_, err := c.Write(payload)
	must(t, err)
	must(t, c.Close())
	return <-got
}

func TestDamagedSegmentsAreSeenBehindARouter(t *testing.T) {
	// A router has more chances than a receiver to make a checksum right again.
	a, router, w := cable(t, onlyAB(topology.Impairment{}))
	must(t, router.Sysctl("net.ipv4.ip_forward", "1"))
	b := stack(t)
	must(t, link.Veth(link.End{Stack: router, Name: "v0", MTU: 1600}, link.End{Stack: b, Name: "v0", MTU: 1600}))
	must(t, router.Address("v0", netip.MustParsePrefix("10.0.0.2/31")))
	must(t, b.Address("v0", netip.MustParsePrefix("10.0.0.3/31")))
	all := netip.MustParsePrefix("0.0.0.0/0")
	must(t, a.Route(link.Route{Dst: all, Via: netip.MustParseAddr("10.0.0.0"), Dev: "w0"}))
	must(t, b.Route(link.Route{Dst: all, Via: netip.MustParseAddr("10.0.0.2"), Dev: "v0"}))

	payload := make([]byte, 8<<20)
	for i := range payload {
		payload[i] = byte(i * 7 >> 3)
	}
	must(t, w.Impair(wire.AToB, topology.Impairment{Corrupt: 0.05}))
	if got := transfer(t, a, b, "10.0.0.3:8", payload, 0); !bytes.Equal(got, payload) {
		t.Errorf("got %d bytes of %d, or others: damage went unnoticed", len(got), len(payload))
	}
	s := w.Stats(wire.AToB)
	if seen := counter(t, b, "Tcp", "InCsumErrors"); s.Corrupted == 0 || uint64(seen) < s.Corrupted {
		t.Errorf("%d frames damaged, the receiver saw %d", s.Corrupted, seen)
	}
}

func TestPositionsHitTheirFrameOfEachFlow(t *testing.T) {
	const n = 5
	flow := &topology.Flow{Proto: "udp", Dst: "10.0.0.0:7"}
	for _, c := range []struct {
		name string
		at   topology.Position
		want []uint64
	}{
		{"drop", topology.Position{Flow: flow, Frame: 3, Do: "drop"}, []uint64{0, 1, 3, 4}},
		{"duplicate", topology.Position{Flow: flow, Frame: 3, Do: "duplicate"}, []uint64{0, 1, 2, 2, 3, 4}},
		{"corrupt", topology.Position{Flow: flow, Frame: 3, Do: "corrupt"}, []uint64{0, 1, 3, 4}},
		{"delay", topology.Position{Flow: flow, Frame: 3, Do: "delay", By: 200 * time.Millisecond}, []uint64{0, 1, 3, 4, 2}},
		{"cut", topology.Position{Flow: flow, Bytes: 250, Do: "drop"}, []uint64{0, 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, b, w := cable(t, onlyAB(topology.Impairment{}))
			r, other := receiver(t, b, "10.0.0.0:7"), receiver(t, b, "10.0.0.0:8")
			meet(t, dial(t, a, "udp4", "10.0.0.0:7"), r)
			must(t, w.Impair(wire.AToB, topology.Impairment{At: []topology.Position{c.at}}))
			for round := range 2 { // each connection is a flow of its own
				number(t, dial(t, a, "udp4", "10.0.0.0:7"), n, 100)
				if got := arrivals(t, r, len(c.want)); !slices.Equal(got, c.want) {
					t.Errorf("flow %d: got %v, want %v", round, got, c.want)
				}
			}
			number(t, dial(t, a, "udp4", "10.0.0.0:8"), n, 100)
			if got, want := arrivals(t, other, n), []uint64{0, 1, 2, 3, 4}; !slices.Equal(got, want) {
				t.Errorf("a flow that does not match: got %v, want %v", got, want)
			}
			nothing(t, r)
			want := uint64(2)
			if c.at.Bytes > 0 {
				want = 2 * (n - 2)
			}
			if s := w.Stats(wire.AToB); s.Positional != want {
				t.Errorf("positional: got %d, want %d", s.Positional, want)
			}
		})
	}
}

func TestConnectionIsCutAfterSoManyBytes(t *testing.T) {
	const limit = 100 << 10
	a, b, w := cable(t, onlyAB(topology.Impairment{At: []topology.Position{
		{Flow: &topology.Flow{Proto: "tcp", Dst: ":8"}, Bytes: limit, Do: "drop"},
	}}))
	var l net.Listener
	must(t, b.NS().Do(func() (err error) { l, err = net.Listen("tcp4", "10.0.0.0:8"); return err }))
	defer l.Close()
	c := dial(t, a, "tcp4", "10.0.0.0:8")
	in, err := l.Accept()
	must(t, err)
	defer in.Close()
	go func() { _, _ = c.Write(make([]byte, 4*limit)) }() // ends when c is closed
	await(t, w, wire.AToB, "cut", func(s wire.Stats) bool { return s.Dropped > 0 })
	must(t, in.SetReadDeadline(time.Now().Add(200*time.Millisecond)))
	n, err := io.Copy(io.Discard, in)
	var timeout net.Error
	if !errors.As(err, &timeout) || !timeout.Timeout() {
		t.Errorf("the receiver noticed: %v", err)
	}
	if n == 0 || n > limit {
		t.Errorf("bytes before the cut: got %d, want up to %d", n, limit)
	}
	if got := transfer(t, a, b, "10.0.0.0:9", make([]byte, 2*limit), 0); len(got) != 2*limit {
		t.Errorf("another connection got %d bytes of %d", len(got), 2*limit)
	}
}

func TestCutLosesWhatIsUnderWay(t *testing.T) {
	a, b, w := cable(t, onlyAB(topology.Impairment{}))
	r, c := receiver(t, b, "10.0.0.0:7"), dial(t, a, "udp4", "10.0.0.0:7")
	meet(t, c, r)
	must(t, w.Impair(wire.AToB, topology.Impairment{Delay: 5 * time.Second}))
	before := w.Stats(wire.AToB)
	number(t, c, 5, 8)
	await(t, w, wire.AToB, "under way", func(s wire.Stats) bool { return s.Entered == before.Entered+5 })
	w.Cut(wire.AToB, true)
	w.Cut(wire.AToB, false)
	if s := w.Stats(wire.AToB); s.Cut != 5 || s.Frames != before.Frames {
		t.Errorf("5 frames under way were cut: counters %+v, before %+v", s, before)
	}
	must(t, w.Impair(wire.AToB, topology.Impairment{}))
	number(t, c, 1, 8)
	arrivals(t, r, 1)
	nothing(t, r)
}

func TestInterfaceThatIsDownLosesFramesAndCostsNothing(t *testing.T) {
	a, b, w := cable(t, onlyAB(topology.Impairment{}))
	r, c := receiver(t, b, "10.0.0.0:7"), dial(t, a, "udp4", "10.0.0.0:7")
	meet(t, c, r)
	must(t, b.SetUp("w0", false))
	number(t, c, 5, 8)
	await(t, w, wire.AToB, "down", func(s wire.Stats) bool { return s.Down == 5 })
	cpu := cpuTime(t)
	begun := time.Now()
	must(t, r.SetReadDeadline(begun.Add(300*time.Millisecond)))
	if _, _, err := r.ReadFrom(make([]byte, 2048)); err == nil {
		t.Error("a datagram came through an interface that is down")
	}
	// A goroutine that spins takes all of a CPU, when it can have one.
	if spent, took := cpuTime(t)-cpu, time.Since(begun); spent > took/2 {
		t.Errorf("a wire with an end down used %v of CPU in %v", spent, took)
	}
	must(t, b.SetUp("w0", true))
	number(t, c, 1, 8)
	arrivals(t, r, 1)
}

func TestFramesThatNeverEnteredAreCountedToo(t *testing.T) {
	const senders, n = 8, 10000
	a, b, w := cable(t, onlyAB(topology.Impairment{}))
	r, c := receiver(t, b, "10.0.0.0:7"), dial(t, a, "udp4", "10.0.0.0:7")
	meet(t, c, r)
	before := w.Stats(wire.AToB)
	var all sync.WaitGroup
	for range senders {
		all.Go(func() {
			for range n {
				_, _ = c.Write([]byte("flood")) // what the socket refuses is found missing below
			}
		})
	}
	all.Wait()
	s := await(t, w, wire.AToB, "burst", func(s wire.Stats) bool {
		return s.Entered+s.Overrun >= before.Entered+before.Overrun+senders*n
	})
	t.Logf("%d datagrams at once: %+v", senders*n, s)
}
