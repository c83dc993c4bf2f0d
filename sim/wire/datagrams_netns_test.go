//go:build netns

package wire_test

import (
	"encoding/binary"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/unilb/unilb/sim/link"
	"github.com/unilb/unilb/sim/wire"
	"github.com/unilb/unilb/topology"
)

// patience is how long a test waits for what must come.
const patience = 10 * time.Second

// receiver listens for datagrams inside s.
func receiver(t testing.TB, s *link.Stack, at string) net.PacketConn {
	t.Helper()
	var c net.PacketConn
	must(t, s.NS().Do(func() (err error) { c, err = net.ListenPacket("udp4", at); return err }))
	t.Cleanup(func() { c.Close() })
	must(t, c.(*net.UDPConn).SetReadBuffer(1<<20)) // the kernel makes of it what it allows
	return c
}

// number sends datagrams 0 to n-1, each with its number and some filling.
func number(t testing.TB, c net.Conn, n, bytes int) {
	t.Helper()
	b := make([]byte, max(bytes, 8))
	for i := range n {
		binary.BigEndian.PutUint64(b, uint64(i))
		_, err := c.Write(b)
		must(t, err)
	}
}

// arrivals are the numbers of the next n datagrams, in the order in which they came.
func arrivals(t testing.TB, c net.PacketConn, n int) []uint64 {
	t.Helper()
	must(t, c.SetReadDeadline(time.Now().Add(patience)))
	var out []uint64
	b := make([]byte, 2048)
	for range n {
		if _, _, err := c.ReadFrom(b); err != nil {
			t.Fatalf("after %d of %d datagrams, %v: %v", len(out), n, out, err)
		}
		out = append(out, binary.BigEndian.Uint64(b))
	}
	return out
}

// nothing checks that no datagram is left.
func nothing(t testing.TB, c net.PacketConn) {
	t.Helper()
	must(t, c.SetReadDeadline(time.Now().Add(50*time.Millisecond)))
	b := make([]byte, 2048)
	if _, _, err := c.ReadFrom(b); err == nil {
		t.Errorf("datagram %d came beside those that were expected", binary.BigEndian.Uint64(b))
	}
}

// meet sends one datagram so that both ends know each other's MAC address.
func meet(t testing.TB, c net.Conn, r net.PacketConn) {
	t.Helper()
	number(t, c, 1, 8)
	arrivals(t, r, 1)
}

// await waits until the counters of a direction are as they should be.
func await(t testing.TB, w wire.Wire, d wire.Direction, what string, ok func(wire.Stats) bool) wire.Stats {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); ; <-tick.C {
		s := w.Stats(d)
		if ok(s) {
			return s
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: counters after %v: %+v", what, patience, s)
		}
	}
}

// counter is a value of /proc/net/snmp inside s.
func counter(t testing.TB, s *link.Stack, proto, name string) int {
	t.Helper()
	var table []byte
	must(t, s.NS().Do(func() (err error) { table, err = os.ReadFile("/proc/thread-self/net/snmp"); return err }))
	var names []string
	for line := range strings.Lines(string(table)) {
		f := strings.Fields(line)
		if f[0] != proto+":" {
			continue
		}
		if names == nil {
			names = f
			continue
		}
		for i := range f {
			if names[i] == name {
				var n int
				_, err := fmt.Sscan(f[i], &n)
				must(t, err)
				return n
			}
		}
	}
	t.Fatalf("no counter %s of %s", name, proto)
	return 0
}

func onlyAB(i topology.Impairment) wire.Options { return wire.Options{Seed: 42, Name: "a--b", AB: i} }
