package check

import (
	"fmt"
	"maps"
	"slices"

	"github.com/unilb/unilb/sim/history"
	"github.com/unilb/unilb/topology"
)

// MinExpected is the fewest answers that a backend's weight must promise for
// the test to be meaningful.
const MinExpected = 10

// Weighted says that answers spread over backends as their weights say. It is
// Pearson's chi-square test: a balancer that picks by weight is called invalid
// with probability alpha at most (less when it is smoother than chance, as
// round robin is). Nothing is repeated until it fits. An answer of a backend
// with weight zero, or of one without a weight, is a violation by itself.
func Weighted(alpha float64, weights map[topology.Ref]int) Checker {
	return weighted{alpha, weights}
}

type weighted struct {
	alpha   float64
	weights map[topology.Ref]int
}

func (weighted) Name() string { return "Weighted" }

func (c weighted) Check(h *history.History, _ Facts) Verdict {
	f := finding{Verdict: Verdict{Check: c.Name()}}
	got := map[topology.Ref]int{}
	for _, o := range h.Ops {
		b := backendOf(o)
		if o.Outcome != history.OK || b == "" {
			continue
		}
		f.Examined++
		got[b]++
		if c.weights[b] <= 0 {
			f.violation(o.ID, o.Sent, "answered by %s, whose weight is %d", b, c.weights[b])
		}
	}
	total, thinnest := 0, 0
	for _, w := range c.weights {
		total += w
		if w > 0 && (thinnest == 0 || w < thinnest) {
			thinnest = w
		}
	}
	counts := c.counts(got)
	if !(c.alpha > 0 && c.alpha < 1) || total == 0 {
		f.doubt("no significance level or no weights")
		return f.verdict(h, "")
	}
	var x2 float64
	df := -1
	for ref, w := range c.weights {
		if w <= 0 {
			continue
		}
		want := float64(f.Examined) * float64(w) / float64(total)
		if want > 0 {
			d := float64(got[ref]) - want
			x2 += d * d / want
		}
		df++
	}
	if float64(f.Examined)*float64(thinnest)/float64(total) < MinExpected {
		f.doubt("%d answers are too few for a weight of %d in %d", f.Examined, thinnest, total)
		f.Summary = counts
		return f.verdict(h, counts)
	}
	p := chiSquareTail(x2, df)
	f.Summary = fmt.Sprintf("%s; chi-square %.2f, p %.2g, alpha %.2g", counts, x2, p, c.alpha)
	if p < c.alpha {
		f.violation("", h.End(), "weights are not met: %s", f.Summary)
	}
	return f.verdict(h, f.Summary)
}

func (c weighted) counts(got map[topology.Ref]int) string {
	refs := map[topology.Ref]bool{}
	for r := range got {
		refs[r] = true
	}
	for r := range c.weights {
		refs[r] = true
	}
	s := ""
	for _, r := range slices.Sorted(maps.Keys(refs)) {
		if s != "" {
			s += ", "
		}
		s += fmt.Sprintf("%s %d (weight %d)", r, got[r], c.weights[r])
	}
	return s
}
