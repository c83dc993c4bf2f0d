package report

import (
	"fmt"
	"slices"

	"github.com/unilb/unilb/conformance/spec"
)

// FeatureResult is what a gateway achieved in one feature.
type FeatureResult struct {
	Feature spec.Feature `yaml:"feature" required:"true"`
	Profile string       `yaml:"profile" required:"true"`
	Core    bool         `yaml:"core,omitempty"`
	State   FeatureState `yaml:"state" required:"true" enum:"supported,partial,failed,undecided,unclaimed,unjudged"`
	Passed  int          `yaml:"passed"` // cases that passed, or would have: of unclaimed ones
	Cases   int          `yaml:"cases"`  // cases of the feature in this run
}

// A FeatureState sums the cases of a feature up.
type FeatureState string

// The states of features.
const (
	Supported        FeatureState = "supported" // every case passed
	PartlyJudged     FeatureState = "partial"   // none failed, but some were not judged
	NotMet           FeatureState = "failed"    // at least one case failed
	FeatureUndecided FeatureState = "undecided" // too little evidence, or our harness failed
	NotClaimed       FeatureState = "unclaimed" // nothing is said about it
	Unjudged         FeatureState = "unjudged"  // claimed, and no case of it was run
)

// features adds the features of a profile, and what is surprising about them.
func (r *Report) features(p spec.Profile, claims []spec.Feature) {
	for _, f := range slices.Concat(p.Core, p.Extended) {
		x := FeatureResult{Feature: f, Profile: p.Name, Core: slices.Contains(p.Core, f)}
		var t Tally
		var challenged, surprising int
		for _, c := range r.Cases {
			if c.Feature != f {
				continue
			}
			t.add(c)
			if c.Challenge != "" {
				challenged++
			}
			if c.Challenge == spec.Pass {
				surprising++
			}
		}
		x.Cases, x.Passed = t.total(), t.Passed+t.Warned
		switch {
		case !slices.Contains(claims, f):
			x.State, x.Passed = NotClaimed, surprising
			if challenged > 0 && surprising == challenged {
				r.Surprises = append(r.Surprises, fmt.Sprintf("%s is not claimed, and %s", f, allOf(challenged)))
			}
		case t.Failed > 0:
			x.State = NotMet
		case t.Broken > 0:
			x.State = FeatureUndecided
		case t.Passed+t.Warned == 0:
			x.State = Unjudged
		case t.Skipped > 0:
			x.State = PartlyJudged
		default:
			x.State = Supported
		}
		r.Features = append(r.Features, x)
	}
}

func allOf(n int) string {
	if n == 1 {
		return "its one case passes"
	}
	return fmt.Sprintf("all %d cases pass", n)
}
