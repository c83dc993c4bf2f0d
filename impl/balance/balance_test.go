package balance

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

type healthy map[int]bool

func (h healthy) Usable(i int) bool { return h[i] }

func counts(r *RoundRobin, n int, u Usable) map[int]int {
	got := map[int]int{}
	for range n {
		if i, ok := r.Pick(u, &Tried{}); ok {
			got[i]++
		}
	}
	return got
}

func TestSharesAreExactOverEachRound(t *testing.T) {
	seed := rand.Uint64()
	rnd := rand.New(rand.NewPCG(seed, 0))
	for range 50 {
		var ms []Member
		sum := 0
		for range 2 + rnd.IntN(6) {
			ms = append(ms, Member{Weight: rnd.IntN(8)})
			sum += ms[len(ms)-1].Weight
		}
		r := NewRoundRobin(ms, rnd.Uint64())
		got := counts(r, sum*3, nil)
		for i, m := range ms {
			if got[i] != 3*m.Weight {
				t.Fatalf("seed %d: weights %v: member %d chosen %d times in 3 rounds, want %d", seed, ms, i, got[i], 3*m.Weight)
			}
		}
	}
}

func TestSharesAreSpreadNotInBursts(t *testing.T) {
	r := NewRoundRobin([]Member{{Weight: 3}, {Weight: 1}}, 0)
	order := ""
	for range 8 {
		i, _ := r.Pick(nil, &Tried{})
		order += fmt.Sprint(i)
	}
	if order != "00100010" {
		t.Errorf("order %s, want 00100010", order)
	}
}

func TestPositionsStartApart(t *testing.T) {
	ms := []Member{{Weight: 1}, {Weight: 1}, {Weight: 1}}
	first := map[int]bool{}
	for off := range uint64(3) {
		i, _ := NewRoundRobin(ms, off).Pick(nil, &Tried{})
		first[i] = true
	}
	if len(first) != 3 {
		t.Errorf("three offsets begin with %v, want three members", first)
	}
}

func TestUnhealthyAreSkippedAndTheirShareIsSplitByWeight(t *testing.T) {
	r := NewRoundRobin([]Member{{Weight: 2}, {Weight: 2}, {Weight: 1}}, 0)
	got := counts(r, 30, healthy{0: true, 2: true})
	if got[0] != 20 || got[1] != 0 || got[2] != 10 {
		t.Errorf("shares %v, want 20, 0, 10", got)
	}
}

func TestAllUnhealthyMeansAll(t *testing.T) {
	r := NewRoundRobin([]Member{{Weight: 1}, {Weight: 1}, {Weight: 0}}, 0)
	if got := counts(r, 10, healthy{2: true}); got[0] != 5 || got[1] != 5 || got[2] != 0 {
		t.Errorf("shares %v, want 5, 5, 0: only a member without weight is healthy", got)
	}
}

func TestTriedMembersAreNotChosenAgain(t *testing.T) {
	const n = 70 // beyond the small set
	r := NewRoundRobin(make70(n), 0)
	var tried Tried
	seen := map[int]bool{}
	for range n {
		i, ok := r.Pick(nil, &tried)
		if !ok || seen[i] {
			t.Fatalf("choice %d %v after %d members", i, ok, len(seen))
		}
		seen[i] = true
		tried.Add(i)
	}
	if i, ok := r.Pick(nil, &tried); ok {
		t.Errorf("member %d chosen after all were tried", i)
	}
}

func make70(n int) (ms []Member) {
	for range n {
		ms = append(ms, Member{Weight: 1})
	}
	return ms
}

func TestLowerPriorityWaitsUntilHigherIsGone(t *testing.T) {
	ms := []Member{{Weight: 1, Priority: -1}, {Weight: 1, Priority: 5}, {Weight: 1, Priority: 5}}
	r := NewRoundRobin(ms, 0)
	if got := counts(r, 10, nil); got[0] != 0 || got[1] != 5 {
		t.Errorf("shares %v, want the backup idle", got)
	}
	if got := counts(r, 10, healthy{0: true}); got[0] != 10 {
		t.Errorf("shares %v, want the backup alone", got)
	}
	var tried Tried
	tried.Add(1)
	tried.Add(2)
	if i, ok := r.Pick(nil, &tried); !ok || i != 0 {
		t.Errorf("after all of the first group were tried: %d %v, want the backup", i, ok)
	}
}

func TestSingleMemberIsAlwaysChosen(t *testing.T) {
	r := NewRoundRobin([]Member{{Weight: 0}}, 3)
	var tried Tried
	tried.Add(0)
	if i, ok := r.Pick(healthy{}, &tried); !ok || i != 0 {
		t.Errorf("Pick = %d %v, want the only member", i, ok)
	}
	if _, ok := NewRoundRobin(nil, 3).Pick(nil, &tried); ok {
		t.Error("an empty list offers a member")
	}
}
