//go:build netns

package lab_test

import (
	"errors"
	"net"
	"net/netip"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/unilb/unilb/sim/fault"
	"github.com/unilb/unilb/sim/lab"
)

// throughput sends from one node to another for the time and returns the bits a
// second that arrived.
func throughput(t *testing.T, from, to *lab.Node, d time.Duration) float64 {
	t.Helper()
	l, err := to.Listen("tcp4", netip.AddrPortFrom(to.Plan().Underlay, 0))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c, err := from.Dial(ctx(t), "tcp4", l.Addr().(*net.TCPAddr).AddrPort())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	useCubic(t, c)
	peer, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
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
	if err := peer.SetReadDeadline(start.Add(d)); err != nil {
		t.Fatal(err)
	}
	total, buf := 0, make([]byte, 256<<10)
	for {
		n, err := peer.Read(buf)
		if total += n; err != nil {
			took := time.Since(start).Seconds()
			c.Close()
			peer.Close()
			// What is under way still would be in the way of the next measurement; a
			// new connection comes about when it has passed.
			last, err := from.Dial(ctx(t), "tcp4", l.Addr().(*net.TCPAddr).AddrPort())
			if err != nil {
				t.Fatal(err)
			}
			last.Close()
			return float64(8*total) / took
		}
	}
}

// unlimited sends until more than that many bits a second have arrived, or for as
// long as a busy machine may need; it returns the most that did.
func unlimited(t *testing.T, from, to *lab.Node, floor float64) float64 {
	t.Helper()
	most := 0.0
	for end := time.Now().Add(10 * time.Second); most <= floor && time.Now().Before(end); {
		most = max(most, throughput(t, from, to, 300*time.Millisecond))
	}
	return most
}

// useCubic sets the congestion control: BBR without fq makes bulk figures
// meaningless.
func useCubic(t *testing.T, c net.Conn) {
	t.Helper()
	raw, err := c.(*net.TCPConn).SyscallConn()
	if err == nil {
		cerr := raw.Control(func(fd uintptr) {
			err = unix.SetsockoptString(int(fd), unix.IPPROTO_TCP, unix.TCP_CONGESTION, "cubic")
		})
		err = errors.Join(err, cerr)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestRateLimitHoldsInItsDirectionOnKernelLinksAndWires(t *testing.T) {
	const rate = 20_000_000
	l := up(t)
	client := node(t, l, "client/inet-1")
	for name, c := range map[string]struct {
		fault    fault.RateLimit
		other    *lab.Node
		bothWays bool
	}{
		"kernel link":           {fault.RateLimit{Link: "client/inet-1--bj/edge", Rate: rate, Direction: fault.AToB}, node(t, l, "bj/az1/l4-1"), false},
		"kernel link both ways": {fault.RateLimit{Link: "bj/az1/l4-1", Rate: rate}, node(t, l, "bj/az1/l4-1"), true},
		"wire":                  {fault.RateLimit{Link: "bj/edge--idc/**", Rate: rate, Direction: fault.AToB}, node(t, l, "idc/bj/blue-1"), false},
	} {
		t.Run(name, func(t *testing.T) {
			before := unlimited(t, client, c.other, 3*rate)
			a := inject(t, l, c.fault)
			var back float64
			if c.bothWays {
				back = throughput(t, c.other, client, time.Second)
			} else {
				back = unlimited(t, c.other, client, 3*rate)
			}
			during := throughput(t, client, c.other, time.Second)
			heal(t, a)
			after := unlimited(t, client, c.other, 3*rate)
			t.Logf("Mbit/s: before %.0f, limited to %d: %.1f, the other way %.0f, after %.0f", before/1e6, int(rate/1e6), during/1e6, back/1e6, after/1e6)
			if during > 1.3*rate || during < rate/4 {
				t.Errorf("limited to %d bit/s: %.0f arrived", int(rate), during)
			}
			if (back > 3*rate) == c.bothWays {
				t.Errorf("the other way: %.0f bit/s, limited should be %t", back, c.bothWays)
			}
			if before < 3*rate || after < 3*rate {
				t.Errorf("before %.0f and after %.0f bit/s, want no limit", before, after)
			}
		})
	}
	wantNothingPending(t, l)
}
