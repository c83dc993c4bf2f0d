//go:build netns

package lab_test

import (
	"encoding/binary"
	"errors"
	"maps"
	"net"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/unilb/unilb/sim/fault"
	"github.com/unilb/unilb/sim/lab"
	"github.com/unilb/unilb/sim/wire"
	"github.com/unilb/unilb/topology"
)

const (
	blueWire = "idc/bj/blue-1--bj/edge" // as the plan has it: blue-1 is its end a
	toBlue   = topology.LinkSelector("bj/edge--idc/bj/blue-1")
)

// received are the numbers of the datagrams that arrived, and how often each did.
type received map[uint32]int

// number sends datagrams numbered from 0 to n-1 and returns those that arrived
// until nothing came for a while.
func number(t *testing.T, from, to net.PacketConn, n int, quiet time.Duration) received {
	t.Helper()
	for i := range n {
		if _, err := from.WriteTo(binary.BigEndian.AppendUint32(nil, uint32(i)), to.LocalAddr()); err != nil {
			t.Fatal(err)
		}
	}
	got, buf := received{}, make([]byte, 64)
	for {
		if err := to.SetReadDeadline(time.Now().Add(quiet)); err != nil {
			t.Fatal(err)
		}
		l, _, err := to.ReadFrom(buf)
		if err != nil {
			return got
		}
		got[binary.BigEndian.Uint32(buf[:l])]++
	}
}

func TestImpairmentLosesTheFramesThatTheSeedSays(t *testing.T) {
	p := small("server")
	p.Seed = 7
	l := upPlan(t, p)
	a, b := datagrams(t, node(t, l, "client/inet-1")), datagrams(t, node(t, l, "idc/bj/blue-1"))
	const n, quiet = 200, 500 * time.Millisecond
	if got := number(t, a, b, n, quiet); len(got) != n {
		t.Fatalf("before: %d of %d arrived", len(got), n)
	}
	w, err := l.Wire(blueWire)
	if err != nil {
		t.Fatal(err)
	}
	want := topology.Impairment{Loss: 0.2, Duplicate: 0.1}
	f := inject(t, l, fault.Impair{Link: toBlue, Direction: fault.AToB, Impairment: want})
	if got := w.Impairment(wire.AToB); !got.IsZero() {
		t.Errorf("the other direction is impaired, too: %+v", got)
	}
	during := number(t, a, b, n, quiet)
	back := number(t, b, a, n, quiet)
	heal(t, f)
	after := number(t, a, b, n, quiet)
	predicted := received{}
	for i := range uint64(n) {
		if fate := wire.FateOf(p.Seed, blueWire, wire.BToA, 1, i, want); !fate.Lost {
			predicted[uint32(i)] = 1
			if fate.Duplicate {
				predicted[uint32(i)] = 2
			}
		}
	}
	if !maps.Equal(during, predicted) {
		t.Errorf("seed %d: arrived %v\nwant %v", p.Seed, listed(during), listed(predicted))
	}
	if len(predicted) == n || len(back) != n || len(after) != n {
		t.Errorf("of %d: %d were to arrive, %d of the other way, %d after healing", n, len(predicted), len(back), len(after))
	}
	wantNothingPending(t, l)
}

func listed(r received) []uint32 { return slices.Sorted(maps.Keys(r)) }

// roundTrip is how long a connection takes to come about, at best: the first ones
// after a change wait behind frames that are under way still.
func roundTrip(t *testing.T, l *lab.Lab) time.Duration {
	t.Helper()
	fastest := time.Hour
	for range 5 {
		start := time.Now()
		c, err := dialWithin(t, node(t, l, "client/inet-1"), "10.20.0.1:8080", 10*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		fastest = min(fastest, time.Since(start))
		c.Close()
	}
	return fastest
}

func TestImpairmentReplacesTheDelayOfTheFileAndBringsItBack(t *testing.T) {
	p := small("server")
	for i := range p.Links {
		if p.Links[i].Kind == topology.LinkWire {
			p.Links[i].Impair.Delay = 5 * time.Millisecond
		}
	}
	l := upPlan(t, p)
	if got := roundTrip(t, l); got < 10*time.Millisecond {
		t.Errorf("before: a round trip takes %v, want 10ms at least", got)
	}
	f := inject(t, l, fault.Impair{Link: "idc/**", Impairment: topology.Impairment{Delay: 150 * time.Millisecond}})
	if got := roundTrip(t, l); got < 300*time.Millisecond {
		t.Errorf("during: a round trip takes %v, want 300ms at least", got)
	}
	heal(t, f)
	if got := roundTrip(t, l); got < 10*time.Millisecond || got > 200*time.Millisecond {
		t.Errorf("after: a round trip takes %v, want that of before", got)
	}
	wantNothingPending(t, l)
}

func TestConnectionOpensAndIsCutAtItsFirstByte(t *testing.T) {
	l := up(t)
	if a := get(t, l, "/x", 5*time.Second); a.status != 200 {
		t.Fatalf("before: %+v", a)
	}
	f := inject(t, l, fault.Impair{Link: toBlue, Direction: fault.AToB, Impairment: topology.Impairment{
		At: []topology.Position{{Flow: &topology.Flow{Proto: "tcp", Dst: "10.20.0.1:8080"}, Bytes: 1, Do: "drop"}}}})
	if a := get(t, l, "/x", 700*time.Millisecond); !timedOut(a.err) {
		t.Errorf("during: %+v, want a connection on which nothing arrives", a)
	}
	heal(t, f)
	if a := get(t, l, "/x", 5*time.Second); a.status != 200 || a.err != nil {
		t.Errorf("after: %+v", a)
	}
	wantNothingPending(t, l)
}

func TestPacketsAboveTheBlackHoleVanishWithoutAnError(t *testing.T) {
	l := up(t)
	a, b := datagrams(t, node(t, l, "client/inet-1")), datagrams(t, node(t, l, "idc/bj/blue-1"))
	arrives := func(size int, within time.Duration) bool {
		_, err := a.WriteTo(make([]byte, size), b.LocalAddr())
		if errors.Is(err, syscall.EMSGSIZE) {
			t.Errorf("%d bytes: the sender was told, which a black hole does not", size)
		}
		_ = b.SetReadDeadline(time.Now().Add(within))
		_, _, err = b.ReadFrom(make([]byte, 2000))
		return err == nil
	}
	if !arrives(1400, 5*time.Second) {
		t.Fatal("nothing arrives before")
	}
	f := inject(t, l, fault.Impair{Link: "idc/**", Impairment: topology.Impairment{MaxPacket: 1300}})
	if arrives(1400, 200*time.Millisecond) || !arrives(1200, 5*time.Second) {
		t.Error("during: want that 1200 bytes arrive and 1400 vanish")
	}
	heal(t, f)
	if !arrives(1400, 5*time.Second) {
		t.Error("nothing arrives after healing")
	}
}

func TestKernelLinkCannotBeImpairedAndSaysWhatToDo(t *testing.T) {
	l := up(t)
	_, err := l.Inject(ctx(t), fault.Impair{Link: "bj/edge", Impairment: topology.Impairment{Loss: 1}})
	var un *fault.Unavailable
	if !errors.As(err, &un) || !un.Machine {
		t.Errorf("got %v, want *Unavailable of the lab", err)
	}
	why := l.Lacking()
	if why["agent-crash"] == "" {
		t.Errorf("the lab lacks %v, want that it has no agent", why)
	}
	for _, has := range []string{"impair", "rate-limit", "backend", "link-down", "partition"} {
		if why[has] != "" {
			t.Errorf("the lab has what %s needs, and says: %s", has, why[has])
		}
	}
}
