package admin

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestRanksHaveTheOrderAndChangeLittle(t *testing.T) {
	t.Parallel()
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 1))
		notes, tails := map[string]note{}, []string{}
		for step := range 60 {
			next := slices.Clone(tails)
			switch r.IntN(4) {
			case 0:
				next = slices.Insert(next, r.IntN(len(next)+1), fmt.Sprint(step))
			case 1:
				next = slices.Insert(next, 0, fmt.Sprint(step), fmt.Sprint(step, "b"))
			case 2:
				if len(next) > 0 {
					i := r.IntN(len(next))
					next = slices.Delete(next, i, i+1)
				}
			case 3:
				if len(next) > 0 {
					last := next[len(next)-1]
					next = slices.Insert(next[:len(next)-1], 0, last)
				}
			}
			ranks, changed := ranked(next, notes), 0
			now := map[string]note{}
			for i, tail := range next {
				if old, had := notes[tail]; had && old.Rank != ranks[i] {
					changed++
				}
				now[tail] = note{Rank: ranks[i]}
			}
			if !slices.IsSorted(ranks) || len(slices.Compact(slices.Clone(ranks))) != len(next) {
				t.Fatalf("seed %d: ranks of %v are %v", seed, next, ranks)
			}
			if changed > 1 && changed < len(tails)-1 {
				t.Fatalf("seed %d: %d of %d changed their ranks, want one at most, or all", seed, changed, len(tails))
			}
			if changed > 1 && step < 15 {
				t.Fatalf("seed %d: %d ranks were given anew after %d edits", seed, changed, step)
			}
			shuffled := slices.Clone(next)
			r.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
			if got := inOrder(shuffled, now); !slices.Equal(got, next) {
				t.Fatalf("seed %d: order is %v, want %v", seed, got, next)
			}
			tails, notes = next, now
		}
	}
}
