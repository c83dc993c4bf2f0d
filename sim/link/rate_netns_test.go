//go:build netns

package link_test

import (
	"net"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/unilb/unilb/sim/link"
)

// pump sends for the time and returns the bits a second that arrived.
func pump(t *testing.T, from, to *link.Stack, at string, d time.Duration) float64 {
	t.Helper()
	var l net.Listener
	must(t, to.NS().Do(func() (err error) { l, err = net.Listen("tcp4", at); return err }))
	defer l.Close()
	var c net.Conn
	must(t, from.NS().Do(func() (err error) { c, err = net.Dial("tcp4", at); return err }))
	defer c.Close()
	cubic(t, c.(*net.TCPConn))
	peer, err := l.Accept()
	must(t, err)
	defer peer.Close()
	go func() { // it ends with the connection
		block := make([]byte, 64<<10)
		for {
			if _, err := c.Write(block); err != nil {
				return
			}
		}
	}()
	start := time.Now()
	must(t, peer.SetReadDeadline(start.Add(d)))
	total, buf := 0, make([]byte, 256<<10)
	for {
		n, err := peer.Read(buf)
		if total += n; err != nil {
			return float64(total*8) / time.Since(start).Seconds()
		}
	}
}

// cubic sets the congestion control: BBR without fq makes bulk figures
// meaningless.
func cubic(t *testing.T, c *net.TCPConn) {
	t.Helper()
	raw, err := c.SyscallConn()
	must(t, err)
	must(t, raw.Control(func(fd uintptr) {
		err = unix.SetsockoptString(int(fd), unix.IPPROTO_TCP, unix.TCP_CONGESTION, "cubic")
	}))
	must(t, err)
}

// unlimited pumps until more than that many bits a second have arrived, or for as
// long as a busy machine may need; it returns the most that did.
func unlimited(t *testing.T, from, to *link.Stack, at string, floor float64) float64 {
	t.Helper()
	most := 0.0
	for end := time.Now().Add(10 * time.Second); most <= floor && time.Now().Before(end); {
		most = max(most, pump(t, from, to, at, 300*time.Millisecond))
	}
	return most
}

func TestRateHoldsAndIsRemovedAlone(t *testing.T) {
	a, b := stack(t, false), stack(t, false)
	join(t, a, "eth0", "10.0.0.1/31", b, "p1", "10.0.0.0/31")
	if got, err := a.Rate("eth0"); got != 0 || err != nil {
		t.Errorf("rate of a fresh interface: %d, %v", got, err)
	}
	const rate = 20_000_000
	free := unlimited(t, a, b, "10.0.0.0:7", 3*rate)
	for range 2 { // twice is once
		must(t, a.SetRate("eth0", rate))
	}
	if got, err := a.Rate("eth0"); got != rate || err != nil {
		t.Errorf("rate: got %d (%v), want %d", got, err, rate)
	}
	limited := pump(t, a, b, "10.0.0.0:8", time.Second)
	back := unlimited(t, b, a, "10.0.0.1:9", 3*rate)
	for range 2 {
		must(t, a.ClearRate("eth0"))
	}
	if got, err := a.Rate("eth0"); got != 0 || err != nil {
		t.Errorf("rate after its removal: %d, %v", got, err)
	}
	after := unlimited(t, a, b, "10.0.0.0:10", 3*rate)
	t.Logf("Mbit/s: free %.0f, limited %.1f, the other way %.0f, after %.0f", free/1e6, limited/1e6, back/1e6, after/1e6)
	if limited > 1.3*rate || limited < rate/4 {
		t.Errorf("limited to %d bit/s: %.0f arrived", rate, limited)
	}
	for what, got := range map[string]float64{"before": free, "the other way": back, "after": after} {
		if got < 3*rate {
			t.Errorf("%s: %.0f bit/s, want no limit", what, got)
		}
	}
}

func TestCarrierFollowsTheOtherEnd(t *testing.T) {
	a, b := stack(t, false), stack(t, false)
	join(t, a, "eth0", "10.0.0.1/31", b, "p1", "10.0.0.0/31")
	want := func(s *link.Stack, ifname string, w link.State) {
		t.Helper()
		deadline := time.Now().Add(5 * time.Second)
		for {
			got, err := s.State(ifname)
			must(t, err)
			if got == w {
				return
			}
			if time.Now().After(deadline) {
				t.Fatalf("%s: got %+v, want %+v", ifname, got, w)
			}
		}
	}
	want(a, "eth0", link.State{Up: true, Carrier: true})
	must(t, a.SetUp("eth0", false))
	want(a, "eth0", link.State{})
	want(b, "p1", link.State{Up: true})
	must(t, a.SetUp("eth0", true))
	want(b, "p1", link.State{Up: true, Carrier: true})
}
