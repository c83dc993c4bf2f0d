//go:build netns

package wire_test

import (
	"slices"
	"testing"
	"time"

	"github.com/unilb/unilb/sim/wire"
	"github.com/unilb/unilb/topology"
)

// expected are the numbers of n datagrams that come out of a fresh wire, in order.
func expected(o wire.Options, generation uint64, n int, i topology.Impairment) []uint64 {
	var out []uint64
	for k := range uint64(n) {
		f := wire.FateOf(o.Seed, o.Name, wire.AToB, generation, k, i)
		if f.Lost || f.Corrupt { // a damaged datagram is not delivered
			continue
		}
		out = append(out, k)
		if f.Duplicate {
			out = append(out, k)
		}
	}
	return out
}

func TestSeedFixesWhichDatagramsAreLostRepeatedAndDamaged(t *testing.T) {
	const n = 200 // more do not fit into the receiver's buffer while it waits
	harm := topology.Impairment{Loss: 0.1, Duplicate: 0.1, Corrupt: 0.1}
	var before []uint64
	for round, seed := range []uint64{42, 42, 43} {
		o := onlyAB(topology.Impairment{})
		o.Seed = seed
		a, b, w := cable(t, o)
		r, c := receiver(t, b, "10.0.0.0:7"), dial(t, a, "udp4", "10.0.0.0:7")
		// First of all: what waits for ARP can be overtaken by what is sent
		// when the answer has come.
		meet(t, c, r)
		must(t, w.Impair(wire.AToB, harm))
		number(t, c, n, 100)
		want := expected(o, 1, n, harm)
		got := arrivals(t, r, len(want))
		if !slices.Equal(got, want) {
			t.Errorf("seed %d: got %v, want %v", seed, got, want)
		}
		nothing(t, r)
		s := w.Stats(wire.AToB)
		if damaged := counter(t, b, "Udp", "InCsumErrors"); damaged == 0 || uint64(damaged) < s.Corrupted {
			t.Errorf("seed %d: the receiver saw %d wrong checksums, %d were damaged", seed, damaged, s.Corrupted)
		}
		if s.Lost == 0 || s.Duplicated == 0 || s.Corrupted == 0 {
			t.Errorf("seed %d: counters %+v", seed, s)
		}
		if same := slices.Equal(got, before); round > 0 && same != (round == 1) {
			t.Errorf("seed %d gives the same as before: %t", seed, same)
		}
		before = got
	}
}

func TestImpairAgainCountsAnewAndTheSameChangesNothing(t *testing.T) {
	const n = 100
	harm, more := topology.Impairment{Loss: 0.2}, topology.Impairment{Loss: 0.3}
	o := onlyAB(topology.Impairment{})
	a, b, w := cable(t, o)
	r, c := receiver(t, b, "10.0.0.0:7"), dial(t, a, "udp4", "10.0.0.0:7")
	meet(t, c, r)
	want := expected(o, 1, 2*n, harm) // 0 to n-1 twice: numbers are modulo n
	must(t, w.Impair(wire.AToB, harm))
	number(t, c, n, 8)
	must(t, w.Impair(wire.AToB, harm))
	number(t, c, n, 8)
	got := arrivals(t, r, len(want))
	for i := range want {
		want[i] %= n
	}
	if !slices.Equal(got, want) {
		t.Errorf("impaired twice alike: got %v, want %v", got, want)
	}
	must(t, w.Impair(wire.AToB, more))
	number(t, c, n, 8)
	want = expected(o, 2, n, more)
	if got := arrivals(t, r, len(want)); !slices.Equal(got, want) {
		t.Errorf("impaired anew: got %v, want %v", got, want)
	}
	if got := w.Impairment(wire.AToB); got.Loss != more.Loss {
		t.Errorf("impairment in force: got %+v, want %+v", got, more)
	}
	if err := w.Impair(wire.AToB, topology.Impairment{Loss: 2}); err == nil || w.Impairment(wire.AToB).Loss != more.Loss {
		t.Errorf("a wrong impairment: got error %v, in force %+v", err, w.Impairment(wire.AToB))
	}
}

func TestReorderedFramesOvertakeAndOthersKeepTheirOrder(t *testing.T) {
	const n = 50
	late := topology.Impairment{Delay: time.Second, Reorder: 0.2}
	o := onlyAB(topology.Impairment{})
	a, b, w := cable(t, o)
	r, c := receiver(t, b, "10.0.0.0:7"), dial(t, a, "udp4", "10.0.0.0:7")
	meet(t, c, r)
	must(t, w.Impair(wire.AToB, late))
	var early, rest []uint64
	for k := range uint64(n) {
		if wire.FateOf(o.Seed, o.Name, wire.AToB, 1, k, late).Reorder {
			early = append(early, k)
		} else {
			rest = append(rest, k)
		}
	}
	number(t, c, n, 8) // which takes far less than the delay
	if got, want := arrivals(t, r, n), append(early, rest...); !slices.Equal(got, want) {
		t.Errorf("order: got %v, want %v", got, want)
	}
	if s := w.Stats(wire.AToB); s.Reordered != uint64(len(early)) {
		t.Errorf("reordered: got %d, want %d", s.Reordered, len(early))
	}
}

func TestJitterSpreadsButNeverReorders(t *testing.T) {
	const n = 200
	a, b, w := cable(t, onlyAB(topology.Impairment{}))
	r, c := receiver(t, b, "10.0.0.0:7"), dial(t, a, "udp4", "10.0.0.0:7")
	meet(t, c, r)
	must(t, w.Impair(wire.AToB, topology.Impairment{Delay: 10 * time.Millisecond, Jitter: 10 * time.Millisecond}))
	number(t, c, n, 8)
	if got := arrivals(t, r, n); !slices.IsSorted(got) {
		t.Errorf("order with jitter: %v", got)
	}
}

func TestWireIsLaidWithItsImpairmentAndDoesNotCountARP(t *testing.T) {
	const n = 50
	o := onlyAB(topology.Impairment{Loss: 0.3})
	a, b, w := cable(t, o)
	r, c := receiver(t, b, "10.0.0.0:7"), dial(t, a, "udp4", "10.0.0.0:7")
	first := w.Stats(wire.AToB).Entered
	number(t, c, 1, 8)
	await(t, w, wire.AToB, "question by ARP and datagram", func(s wire.Stats) bool { return s.Entered >= first+2 })
	number(t, c, n, 8)
	var want []uint64 // after datagram 0 come 0 to n-1
	for _, k := range expected(o, 0, n+1, o.AB) {
		want = append(want, max(k, 1)-1)
	}
	if got := arrivals(t, r, len(want)); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
