package compare

import (
	"fmt"
	"maps"
	"math"
	"slices"
)

// How sure one must be that backends share requests otherwise than before. A share
// that differs by chance alone passes for a change with a probability of 1e-4 in one
// pair of runs, and it must do so in every pair; shares that differ within a side at
// a level of 0.01 depend on time and prove nothing.
const (
	otherShare  = 3.89 // standard deviations
	sameShare   = 2.58
	leastShared = 50 // answers of a run, fewer say nothing
)

// sharesChange compares which part of the answers came from each backend, where the
// same ones answered.
func sharesChange(base, head []map[string]int) (Difference, bool) {
	for _, runs := range [][]map[string]int{base, head} {
		for i, m := range runs {
			if len(m) < 2 || total(m) < leastShared || slices.ContainsFunc(runs[:i], func(o map[string]int) bool { return apart(m, o) > sameShare }) {
				return Difference{}, false
			}
		}
	}
	for _, b := range base {
		for _, h := range head {
			if apart(b, h) < otherShare {
				return Difference{}, false
			}
		}
	}
	return Difference{Base: shares(base), Head: shares(head)}, true
}

func total(m map[string]int) int {
	n := 0
	for _, c := range m {
		n += c
	}
	return n
}

// apart is by how many standard deviations the shares of two runs differ, for the
// value for which that is most.
func apart(a, b map[string]int) float64 {
	na, nb := float64(total(a)), float64(total(b))
	most := 0.0
	for v := range inAny([]map[string]int{a, b}) {
		p := float64(a[v]+b[v]) / (na + nb)
		if s := math.Sqrt(p * (1 - p) * (1/na + 1/nb)); s > 0 {
			most = max(most, math.Abs(float64(a[v])/na-float64(b[v])/nb)/s)
		}
	}
	return most
}

// shares is the share of each value over all runs.
func shares(runs []map[string]int) string {
	sum := map[string]int{}
	for _, m := range runs {
		for v, n := range m {
			sum[v] += n
		}
	}
	all := total(sum)
	var out []string
	for _, v := range slices.Sorted(maps.Keys(sum)) {
		out = append(out, fmt.Sprintf("%s %.0f %%", v, 100*float64(sum[v])/float64(all)))
	}
	return list(out)
}
