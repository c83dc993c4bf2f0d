package admin

import (
	"cmp"
	"slices"
	"sort"
)

// rankStep is how far neighbours are apart at first, so that others find room between
// them.
const rankStep = 1 << 20

// inOrder sorts objects by the ranks of their notes. Those without one are last.
func inOrder(tails []string, notes map[string]note) []string {
	slices.SortStableFunc(tails, func(a, b string) int {
		x, xok := notes[a]
		y, yok := notes[b]
		switch {
		case xok && yok:
			return cmp.Compare(x.Rank, y.Rank)
		case xok:
			return -1
		case yok:
			return 1
		}
		return 0
	})
	return tails
}

// ranked gives objects that have the order of tails ascending ranks, and leaves as many
// as it can the ones that they have: who adds one object must not write all others.
func ranked(tails []string, notes map[string]note) []int64 {
	out := make([]int64, len(tails))
	keep := append(kept(tails, notes), len(tails))
	from := 0 // the first that has none yet
	for _, at := range keep {
		gap := int64(at - from)
		low, high := int64(0), int64(0)
		switch {
		case from > 0:
			low = out[from-1]
			high = low + (gap+1)*rankStep
		case at < len(tails):
			low = notes[tails[at]].Rank - (gap+1)*rankStep
		}
		if at < len(tails) {
			high = notes[tails[at]].Rank
			out[at] = high
		} else if from == 0 {
			high = (gap + 1) * rankStep
		}
		if high-low <= gap { // no room, or ranks that nobody gave
			for i := range out {
				out[i] = int64(i+1) * rankStep
			}
			return out
		}
		for i := range gap {
			out[from+int(i)] = low + (high-low)/(gap+1)*(i+1)
		}
		from = at + 1
	}
	return out
}

// kept are the places of the longest run of objects whose ranks ascend already.
func kept(tails []string, notes map[string]note) []int {
	var ends []int          // of the runs of each length, the place whose rank is lowest
	before := map[int]int{} // the place in front of another in its run
	rank := func(at int) int64 { return notes[tails[at]].Rank }
	for at, tail := range tails {
		if _, has := notes[tail]; !has {
			continue
		}
		n := sort.Search(len(ends), func(i int) bool { return rank(ends[i]) >= rank(at) })
		if n > 0 {
			before[at] = ends[n-1]
		}
		if n == len(ends) {
			ends = append(ends, at)
		} else {
			ends[n] = at
		}
	}
	if len(ends) == 0 {
		return nil
	}
	run := make([]int, len(ends))
	at := ends[len(ends)-1]
	for i := len(run) - 1; i >= 0; i-- {
		run[i] = at
		at = before[at]
	}
	return run
}
