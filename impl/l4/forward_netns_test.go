//go:build netns

package l4

import (
	"net/netip"
	"strings"
	"testing"
	"time"
)

// spread counts sessions by gateway.
func spread(sessions []*session) map[string]int {
	out := map[string]int{}
	for _, s := range sessions {
		out[s.gateway]++
	}
	return out
}

func (l *lab) openMany(n int) []*session {
	l.t.Helper()
	var out []*session
	for range n {
		out = append(out, l.open())
	}
	return out
}

// stillThere asks every session again: the same gateway must answer.
func stillThere(t *testing.T, sessions []*session, when string) {
	t.Helper()
	for _, s := range sessions {
		if got, _ := s.ask("again"); got != s.gateway {
			t.Errorf("%s: %s is answered by %s, was %s", when, s.conn.LocalAddr(), got, s.gateway)
		}
	}
}

func TestGatewaySeesTheClient(t *testing.T) {
	l := newLab(t, 2)
	l.register(2)
	sessions := l.openMany(30)
	for _, s := range sessions {
		if _, seen := s.ask("who am I"); seen != s.conn.LocalAddr().String() || !strings.HasPrefix(seen, clientIP+":") {
			t.Errorf("%s saw client %s, want %s", s.gateway, seen, s.conn.LocalAddr())
		}
		if want := l.byRing(s); s.gateway != want {
			t.Errorf("%s went to %s, the ring says %s", s.conn.LocalAddr(), s.gateway, want)
		}
	}
	if got := spread(sessions); len(got) != 2 {
		t.Errorf("spread: %v, want both gateways", got)
	}
	if l.counter("syn") != 30 || l.counter("known") == 0 || l.counter("ring") != 0 {
		t.Errorf("30 connections: %d by SYN, %d packets by table, %d by ring", l.counter("syn"), l.counter("known"), l.counter("ring"))
	}
}

func TestConnectionsStickWhenTheRingChanges(t *testing.T) {
	l := newLab(t, 3)
	l.register(2)
	old := l.openMany(40)
	l.register(3)
	stillThere(t, old, "with a third gateway")
	moved := 0
	for _, s := range old {
		if l.byRing(s) != s.gateway {
			moved++
		}
	}
	if moved == 0 {
		t.Error("the ring changed for no connection: nothing was checked")
	}
	if got := spread(l.openMany(40)); got["g3"] == 0 {
		t.Errorf("new connections: %v, want some on g3", got)
	}
}

func TestFlowsOfADeadMemberMove(t *testing.T) {
	l := newLab(t, 2)
	l.register(2)
	var flows []*session
	for range 20 {
		f := l.flow()
		f.gateway = f.answeredBy(patience)
		flows = append(flows, f)
	}
	if got := spread(flows); got["g1"] == 0 || got["g2"] == 0 {
		t.Fatalf("spread: %v, want both gateways", got)
	}
	must(t, l.gateways[0].stack.SetUp("eth0", false)) // it vanishes without a word
	l.state("g1", Down)
	for _, f := range flows {
		if got := f.answeredBy(patience); got != "g2" {
			t.Fatalf("%s was on %s, is answered by %q, want g2", f.conn.LocalAddr(), f.gateway, got)
		}
	}
	if l.counter("moved") == 0 {
		t.Error("no flow was moved")
	}
	// With nobody left the node fails open and says so.
	must(t, l.gateways[1].stack.SetUp("eth0", false))
	l.state("g2", Down)
	eventually(t, "failing open", func() bool { return l.pool().FailOpen && strings.Join(l.ring(), " ") == "g1 g2" })
}

func TestDrainingMemberKeepsItsConnections(t *testing.T) {
	l := newLab(t, 2)
	l.register(2)
	old := l.openMany(30)
	if got := spread(old); got["g1"] == 0 {
		t.Fatalf("spread: %v, want both gateways", got)
	}
	l.gateways[0].draining.Store(true)
	l.state("g1", Draining)
	eventually(t, "g1 out of the ring", func() bool { return strings.Join(l.ring(), " ") == "g2" })
	if got := spread(l.openMany(30)); got["g1"] != 0 || got["g2"] != 30 {
		t.Errorf("new connections: %v, want all on g2", got)
	}
	stillThere(t, old, "while g1 drains")
}

// The kernel forwards while no process runs, the next process takes over what it
// finds, and a change that happened meanwhile is caught up with.
func TestForwardingOutlivesTheProcess(t *testing.T) {
	l := newLab(t, 2)
	l.register(2)
	old := l.openMany(20)
	ring := l.pool().Ring
	l.stop()
	stillThere(t, old, "without a process")
	old = append(old, l.openMany(10)...)

	l.start() // etcd says nothing yet
	if got := l.plane.Adopted(); len(got.VIPs) != 1 || len(got.Members) != 2 || got.Members[0].State != Up || got.Members[0].Name != "g1" {
		t.Errorf("adopted: %+v", got)
	}
	eventually(t, "serving with what it found", func() bool {
		select {
		case <-l.ctl.Ready():
			return true
		default:
			return false
		}
	})
	stillThere(t, old, "after the restart")
	if got := l.pool().Ring; got != ring {
		t.Errorf("ring after the restart: %s, was %s", got, ring)
	}
	must(t, l.gateways[0].stack.SetUp("eth0", false))
	l.state("g1", Down)
	if got := spread(l.openMany(10)); got["g2"] != 10 {
		t.Errorf("new connections: %v, want all on g2", got)
	}
	must(t, l.plane.Check())
}

// Two processes would undo each other's changes.
func TestSecondProcessIsRefused(t *testing.T) {
	l := newLab(t, 1)
	err := l.l4.NS().Do(func() error {
		d, err := OpenDatapath(DatapathOptions{PinDir: l.pins, Uplink: "eth0", Underlay: netip.MustParseAddr(l4IP)})
		if err == nil {
			d.Close()
		}
		return err
	})
	if err == nil || !strings.Contains(err.Error(), "used by another process") {
		t.Errorf("got %v, want a refusal", err)
	}
}

func TestLargeAnswersFindThePathMTU(t *testing.T) {
	l := newLab(t, 2)
	l.register(2)
	sessions := l.openMany(12)
	if got := spread(sessions); len(got) != 2 {
		t.Fatalf("spread: %v, want both gateways", got)
	}
	for _, s := range sessions {
		s.ask("big")
	}
	// One error for each gateway at least: each has its own path MTU cache.
	if got := l.counter("icmp_error"); got < 2 {
		t.Errorf("%d ICMP errors forwarded, want 2 at least", got)
	}
}

func TestUnknownPortIsDropped(t *testing.T) {
	l := newLab(t, 1)
	l.register(1)
	var err error
	must(t, l.client.NS().Do(func() error {
		_, err = dialTimeout("tcp4", labVIP+":81", 300*time.Millisecond)
		return nil
	}))
	if err == nil || !isTimeout(err) {
		t.Errorf("dial of an unknown port: %v, want silence", err)
	}
	if l.counter("unknown_port") == 0 {
		t.Error("not counted")
	}
}

// A tunnel device that disappears is noticed, and the next process heals it.
func TestLostTunnelIsNoticedAndHealed(t *testing.T) {
	l := newLab(t, 1)
	l.register(1)
	must(t, l.plane.Check())
	must(t, l.l4.Delete(Tunnel))
	if err := l.plane.Check(); err == nil {
		t.Error("check passes without the tunnel device")
	}
	l.stop()
	l.start()
	must(t, l.plane.Check())
	l.register(1)
	l.open()
}

func TestTrafficToOthersPasses(t *testing.T) {
	l := newLab(t, 1)
	l.register(1)
	before := l.counter("forwarded")
	s, err := listenIn(l.l4, l4IP+":9094")
	must(t, err)
	defer s.Close()
	c, err := l.dialer(l.client)(t.Context(), "tcp4", l4IP+":9094")
	must(t, err)
	c.Close()
	if got := l.counter("forwarded"); got != before {
		t.Errorf("%d packets forwarded, want none", got-before)
	}
}
