package flake

import (
	"cmp"
	"slices"
	"time"
)

// A Rate is how reliable a case has been.
type Rate struct {
	Case   string    `json:"case"`
	Runs   int       `json:"runs"`
	Flakes int       `json:"flakes"` // runs that ended otherwise than most of the same build
	Builds int       `json:"builds"` // different gateways, cases and topologies
	Last   time.Time `json:"last"`   // newest record of a build on which it was flaky; zero: never
}

// Rate is flakes in relation to runs, 0 without a run.
func (r Rate) Rate() float64 {
	if r.Runs == 0 {
		return 0
	}
	return float64(r.Flakes) / float64(r.Runs)
}

// Rates are the rates of all cases, the worst first.
func Rates(records []Record) []Rate {
	type key struct {
		id string
		b  Build
	}
	sums := map[key]Record{}
	for _, r := range records {
		k := key{r.Case, r.Build}
		s := sums[k]
		s.Runs, s.Passed = s.Runs+r.Runs, s.Passed+r.Passed
		if r.At.After(s.At) {
			s.At = r.At
		}
		sums[k] = s
	}
	of := map[string]*Rate{}
	for k, s := range sums {
		r := of[k.id]
		if r == nil {
			r = &Rate{Case: k.id}
			of[k.id] = r
		}
		flakes := min(s.Passed, s.Runs-s.Passed)
		r.Runs, r.Flakes, r.Builds = r.Runs+s.Runs, r.Flakes+flakes, r.Builds+1
		if flakes > 0 && s.At.After(r.Last) {
			r.Last = s.At
		}
	}
	var out []Rate
	for _, r := range of {
		out = append(out, *r)
	}
	slices.SortFunc(out, func(a, b Rate) int {
		return cmp.Or(cmp.Compare(b.Rate(), a.Rate()), cmp.Compare(b.Flakes, a.Flakes), cmp.Compare(a.Case, b.Case))
	})
	return out
}

// Total sums rates up.
func Total(rates []Rate) Rate {
	t := Rate{Case: "all cases"}
	for _, r := range rates {
		t.Runs, t.Flakes, t.Builds = t.Runs+r.Runs, t.Flakes+r.Flakes, max(t.Builds, r.Builds)
		if r.Last.After(t.Last) {
			t.Last = r.Last
		}
	}
	return t
}
