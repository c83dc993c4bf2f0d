package l4

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
)

// someMembers returns n members with the names and addresses of a large region.
func someMembers(n int) []RingMember {
	out := make([]RingMember, n)
	for i := range out {
		out[i] = RingMember{
			Name: fmt.Sprintf("bj/az%d/l7-%d", i%3+1, i/3+1),
			Addr: netip.AddrFrom4([4]byte{100, 127, byte(i / 250), byte(i%250 + 1)}),
		}
	}
	return out
}

func shares(r Ring) map[netip.Addr]int {
	out := map[netip.Addr]int{}
	for slot := range RingSlots {
		out[r.At(slot)]++
	}
	return out
}

func TestEmptyRingAssignsNothing(t *testing.T) {
	r := BuildRing(nil)
	if !r.Empty() || r.Hash() != "" || r.At(7).IsValid() {
		t.Errorf("got %v %q %v, want an empty ring", r.Empty(), r.Hash(), r.At(7))
	}
}

func TestRingDoesNotDependOnOrder(t *testing.T) {
	members := someMembers(10)
	want := BuildRing(members)
	seed := rand.Uint64()
	rng := rand.New(rand.NewPCG(seed, 0))
	for range 5 {
		rng.Shuffle(len(members), func(i, j int) { members[i], members[j] = members[j], members[i] })
		if got := BuildRing(members); got.Hash() != want.Hash() || !slices.Equal(got.slots, want.slots) {
			t.Fatalf("seed %d: got ring %s, want %s", seed, got.Hash(), want.Hash())
		}
	}
}

// Nodes of different releases serve one VIP together: the algorithm may not
// change unnoticed.
func TestRingIsWhatItAlwaysWas(t *testing.T) {
	for n, want := range map[int]string{1: "f36ff24e1bb96e97", 4: "35ee706640d1e51b", 100: "cb2e9546ec4308f6"} {
		if got := BuildRing(someMembers(n)).Hash(); got != want {
			t.Errorf("ring of %d: got %s, want %s", n, got, want)
		}
	}
}

func TestRingIsShared(t *testing.T) {
	for _, n := range []int{1, 4, 10, 100} {
		got := shares(BuildRing(someMembers(n)))
		if len(got) != n {
			t.Errorf("%d members: %d have slots", n, len(got))
		}
		lo, hi := RingSlots, 0
		for _, s := range got {
			lo, hi = min(lo, s), max(hi, s)
		}
		// Members choose in turn, so shares differ by one at most.
		if hi-lo > 1 {
			t.Errorf("%d members: shares between %d and %d", n, lo, hi)
		}
	}
}

func TestRemovingAMemberMovesFewOtherSlots(t *testing.T) {
	for _, c := range []struct {
		members int
		most    float64 // percent of the survivors' slots
	}{{4, 0.5}, {10, 1}, {100, 2}} {
		members := someMembers(c.members)
		before := BuildRing(members)
		for _, gone := range []int{0, c.members / 2, c.members - 1} {
			after := BuildRing(slices.Delete(slices.Clone(members), gone, gone+1))
			moved, kept := 0, 0
			for slot := range RingSlots {
				if before.At(slot) == members[gone].Addr {
					continue
				}
				kept++
				if before.At(slot) != after.At(slot) {
					moved++
				}
			}
			percent := 100 * float64(moved) / float64(kept)
			t.Logf("%d members without %s: %.2f %% of the others' slots moved", c.members, members[gone].Name, percent)
			if percent > c.most {
				t.Errorf("%d members without %s: %.2f %% of the others' slots moved, want at most %.2f", c.members, members[gone].Name, percent, c.most)
			}
		}
	}
}

func TestRingHashTellsContent(t *testing.T) {
	members := someMembers(4)
	base := BuildRing(members).Hash()
	moved := slices.Clone(members)
	moved[2].Addr = netip.MustParseAddr("100.127.200.1")
	for name, other := range map[string][]RingMember{"fewer": members[:3], "another address": moved} {
		if BuildRing(other).Hash() == base {
			t.Errorf("%s: hash is the same", name)
		}
	}
}

func BenchmarkBuildRing(b *testing.B) {
	for _, n := range []int{4, 100} {
		members := someMembers(n)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				BuildRing(members)
			}
		})
	}
}
