//go:build netns

package lab_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/unilb/unilb/sim/fault"
	"github.com/unilb/unilb/sim/lab"
	"github.com/unilb/unilb/topology"
)

func dialWithin(t *testing.T, n *lab.Node, to string, within time.Duration) (net.Conn, error) {
	t.Helper()
	c, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	return n.Dial(c, "tcp4", netip.MustParseAddrPort(to))
}

func TestPeerOfAMachineWithoutPowerHearsNothingAtAll(t *testing.T) {
	l := up(t)
	client := node(t, l, "client/inet-1")
	toServer, err := dial(t, client, "10.0.1.1:80")
	if err != nil {
		t.Fatal(err)
	}
	toEcho, err := dial(t, client, "10.20.0.1:8080")
	if err != nil {
		t.Fatal(err)
	}
	quiet, err := dial(t, client, "10.0.1.1:80") // has nothing to say meanwhile
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []net.Conn{toServer, quiet} {
		if _, err := ask(t, c, 2*time.Second); err != nil {
			t.Fatal(err)
		}
	}
	var off []*fault.Active
	for _, on := range []topology.Selector{"bj/az1/l4-1", "idc/**"} {
		a, err := l.Inject(ctx(t), fault.PowerOff{On: on})
		if err != nil {
			t.Fatal(err)
		}
		off = append(off, a)
	}
	for name, c := range map[string]net.Conn{"server": toServer, "echo": toEcho} {
		if _, err := ask(t, c, 300*time.Millisecond); !timedOut(err) {
			t.Errorf("peer of a %s without power: got %v, want silence", name, err)
		}
	}
	for _, at := range []string{"10.0.1.1:80", "10.20.0.1:8080"} {
		if _, err := dialWithin(t, client, at, 500*time.Millisecond); !errors.Is(err, context.DeadlineExceeded) && !timedOut(err) {
			t.Errorf("connect to %s without power: got %v, want silence", at, err)
		}
	}
	until(t, "the leg is out", func() bool { return !legIn(l, 0) })
	if who := served(t, l, 5); who["bj/az1/l4-2"] != 5 {
		t.Errorf("answers by %v, want l4-2 alone", who)
	}
	for _, a := range off {
		if err := a.Heal(ctx(t)); err != nil {
			t.Fatal(err)
		}
	}
	until(t, "the leg is back", func() bool { return legIn(l, 0) })
	if err := quiet.SetReadDeadline(time.Now().Add(2 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := quiet.Read(make([]byte, 1)); !timedOut(err) {
		t.Errorf("the rebooted server remembers a connection: got %v, want silence", err)
	}
	for name, c := range map[string]net.Conn{"server": toServer, "echo": toEcho} {
		_, err := ask(t, c, 5*time.Second)
		if err == nil || timedOut(err) || errors.Is(err, io.EOF) {
			t.Errorf("old connection to the rebooted %s: got %v, want a reset", name, err)
		}
	}
	for _, at := range []string{"10.0.1.1:80", "10.20.0.1:8080"} {
		if _, err := dial(t, client, at); err != nil {
			t.Errorf("after the reboot: %v", err)
		}
	}
	wantNothingPending(t, l)
}
