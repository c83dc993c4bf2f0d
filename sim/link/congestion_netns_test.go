//go:build netns

package link_test

import (
	"errors"
	"net"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/unilb/unilb/sim/link"
	"github.com/unilb/unilb/sim/netns"
	"github.com/unilb/unilb/sim/sandbox"
)

// congestion is the algorithm of a connection.
func congestion(t *testing.T, c net.Conn) (name string) {
	t.Helper()
	raw, err := c.(syscall.Conn).SyscallConn()
	must(t, err)
	var inner error
	must(t, raw.Control(func(fd uintptr) {
		name, inner = unix.GetsockoptString(int(fd), unix.IPPROTO_TCP, unix.TCP_CONGESTION)
	}))
	must(t, inner)
	return name
}

// dialSelf connects the loopback device with itself and returns both ends.
func dialSelf(t *testing.T, s *link.Stack) (near, far net.Conn) {
	t.Helper()
	must(t, s.NS().Do(func() error {
		l, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			return err
		}
		defer l.Close()
		if near, err = net.Dial("tcp4", l.Addr().String()); err != nil {
			return err
		}
		far, err = l.Accept()
		return err
	}))
	t.Cleanup(func() { near.Close(); far.Close() })
	return near, far
}

func TestLoopbackCongestionHoldsForBothEnds(t *testing.T) {
	s := stack(t, false)
	for _, want := range []string{"cubic", "reno"} {
		must(t, s.LoopbackCongestion(want))
		near, far := dialSelf(t, s)
		if a, b := congestion(t, near), congestion(t, far); a != want || b != want {
			t.Errorf("got %s and %s, want %s at both ends", a, b, want)
		}
	}
}

func TestLoopbackCongestionNeedsAnAlgorithmAndADeviceThatIsUp(t *testing.T) {
	if err := stack(t, false).LoopbackCongestion("no-such-thing"); err == nil {
		t.Error("an unknown algorithm was taken")
	}
	sandbox.Require(t, sandbox.CapNetNS)
	ns, err := netns.New()
	must(t, err)
	down, err := link.Open(ns)
	must(t, err)
	t.Cleanup(func() { must(t, errors.Join(down.Close(), ns.Close())) })
	if err := down.LoopbackCongestion("cubic"); err == nil {
		t.Error("a loopback device without addresses was taken")
	}
}
