//go:build netns

package capture

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/unilb/unilb/sim/link"
	"github.com/unilb/unilb/sim/netns"
	"github.com/unilb/unilb/sim/sandbox"
)

func TestMain(m *testing.M) { sandbox.Main(m) }

// pair joins 10.0.0.1 and 10.0.0.0 by a veth, and connects them with UDP.
func pair(t *testing.T) (a *link.Stack, from net.Conn, to net.PacketConn) {
	t.Helper()
	sandbox.Require(t, sandbox.CapNetNS)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	var ends [2]*link.Stack
	for i := range ends {
		ns, err := netns.New()
		must(err)
		ends[i], err = link.Open(ns)
		must(err)
		t.Cleanup(func() { ends[i].Close(); ns.Close() })
		must(ends[i].Prepare(false))
	}
	a, b := ends[0], ends[1]
	must(link.Veth(link.End{Stack: a, Name: "v0", MTU: 1600}, link.End{Stack: b, Name: "v0", MTU: 1600}))
	must(a.Address("v0", netip.MustParsePrefix("10.0.0.1/31")))
	must(b.Address("v0", netip.MustParsePrefix("10.0.0.0/31")))
	must(b.NS().Do(func() (err error) { to, err = net.ListenPacket("udp4", "10.0.0.0:7"); return err }))
	t.Cleanup(func() { to.Close() })
	must(a.NS().Do(func() (err error) { from, err = net.Dial("udp4", "10.0.0.0:7"); return err }))
	t.Cleanup(func() { from.Close() })
	return a, from, to
}

func TestSniffSeesBothDirections(t *testing.T) {
	a, from, to := pair(t)
	r := NewRing("v", 0)
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	s, err := Sniff(ctx, a.NS(), "v0", r)
	if err != nil {
		t.Fatal(err)
	}
	before := time.Now()
	if _, err := from.Write(make([]byte, 1000)); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 2000)
	_ = to.SetReadDeadline(time.Now().Add(10 * time.Second))
	_, back, err := to.ReadFrom(buf)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := to.WriteTo(buf[:100], back); err != nil {
		t.Fatal(err)
	}
	_ = from.SetReadDeadline(time.Now().Add(10 * time.Second))
	if _, err := from.Read(buf); err != nil {
		t.Fatal(err)
	}
	stop()
	seen, err := s.Wait()
	if err != nil {
		t.Fatal(err)
	}
	found := map[Direction]int{}
	frames, _ := r.snapshot()
	for _, f := range frames {
		if f.length > 60 { // no ARP
			found[f.direction] = int(f.length)
		}
		if at := epoch.Add(f.at); at.Before(before.Add(-time.Second)) || at.After(time.Now()) {
			t.Errorf("frame of %v, the test began at %v", at, before)
		}
	}
	if found[Outbound] != 1042 || found[Inbound] != 142 {
		t.Errorf("lengths by direction: %v, want 1042 sent and 142 received", found)
	}
	if seen.Dropped != 0 || seen.Frames != uint64(len(frames)) {
		t.Errorf("seen: %+v, in the ring %d", seen, len(frames))
	}
}

// slow is a sink that waits at its first frame.
type slow struct {
	*Ring
	reached, goOn chan struct{}
	waited        bool
}

func (s *slow) Add(at time.Time, d Direction, note string, frame []byte, length int) {
	if !s.waited {
		s.waited = true
		close(s.reached)
		<-s.goOn
	}
	s.Ring.Add(at, d, note, frame, length)
}

func TestSnifferCountsWhatItCouldNotTake(t *testing.T) {
	const n = 30000
	a, from, _ := pair(t)
	sink := &slow{Ring: NewRing("v", 0), reached: make(chan struct{}), goOn: make(chan struct{})}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	s, err := Sniff(ctx, a.NS(), "v0", sink)
	if err != nil {
		t.Fatal(err)
	}
	for range n {
		_, _ = from.Write([]byte("x")) // the receiver's buffer is full soon
	}
	<-sink.reached
	close(sink.goOn)
	stop()
	seen, err := s.Wait()
	if err != nil {
		t.Fatal(err)
	}
	if seen.Dropped == 0 || seen.Frames+seen.Dropped < n || seen.Frames+seen.Dropped > n+100 {
		t.Errorf("of %d frames: %+v", n, seen)
	}
	if _, counts := sink.snapshot(); counts.seen != seen.Frames+seen.Dropped || counts.missing < seen.Dropped {
		t.Errorf("the ring knows %+v of %+v", counts, seen)
	}
}

func TestSniffOfNoInterfaceSaysSo(t *testing.T) {
	a, _, _ := pair(t)
	if _, err := Sniff(context.Background(), a.NS(), "nope", NewRing("v", 0)); err == nil || !strings.Contains(err.Error(), "nope") {
		t.Errorf("got %v, want an error that names the interface", err)
	}
}
