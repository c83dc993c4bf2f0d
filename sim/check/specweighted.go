package check

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/unilb/unilb/sim/history"
	"github.com/unilb/unilb/topology"
)

// WeightedSpec is Weighted as data. Selectors stand for the backends of the plan,
// and for those that answered; a backend by its own name goes before selectors.
type WeightedSpec struct {
	Among
	Alpha   float64        `json:"alpha,omitempty" yaml:"alpha" min:"0.000001" max:"0.5" default:"0.001" doc:"significance: how often a balancer that picks by weight may be called invalid"`
	Weights map[string]int `json:"weights" yaml:"weights" required:"true" max:"256" doc:"weight of each backend, by its name or a selector of several"`
}

// Kind is the spec's word.
func (WeightedSpec) Kind() string { return "weighted" }

// Spelling says what is wrong with it.
func (s WeightedSpec) Spelling() error {
	var errs []error
	if len(s.Weights) == 0 {
		errs = append(errs, errors.New("no weights"))
	}
	if s.Alpha < 0 || s.Alpha >= 1 {
		errs = append(errs, fmt.Errorf("alpha is %v; want more than 0 and less than 1", s.Alpha))
	}
	for _, sel := range slices.Sorted(maps.Keys(s.Weights)) {
		if err := selects(topology.Selector(sel)); err != nil {
			errs = append(errs, fmt.Errorf("weights: %w", err))
		}
		if n := s.Weights[sel]; n < 0 {
			errs = append(errs, fmt.Errorf("weights: %s has %d", sel, n))
		}
	}
	return errors.Join(errs...)
}

// Checker is the check.
func (s WeightedSpec) Checker() Checker {
	return s.of(resolved{weighted{}.Name(), func(h *history.History, f Facts) (Checker, error) {
		weights, err := s.weights(backendsOf(h, f))
		return Weighted(cmp.Or(s.Alpha, DefaultAlpha), weights), err
	}})
}

// backendsOf are all backends that the plan or the answers tell of.
func backendsOf(h *history.History, f Facts) []topology.Ref {
	all := map[topology.Ref]bool{}
	for b := range f.Behind {
		all[b] = true
	}
	for _, o := range h.Ops {
		if b := backendOf(o); b != "" {
			all[b] = true
		}
	}
	return slices.Sorted(maps.Keys(all))
}

// weights gives each backend the weight of the one selector that matches it.
func (s WeightedSpec) weights(backends []topology.Ref) (map[topology.Ref]int, error) {
	out, by := map[topology.Ref]int{}, map[topology.Ref]string{}
	for _, sel := range slices.Sorted(maps.Keys(s.Weights)) {
		if !strings.Contains(sel, "*") {
			out[topology.Ref(sel)] = s.Weights[sel]
			continue
		}
		found := false
		for _, b := range backends {
			if _, own := s.Weights[string(b)]; !topology.Selector(sel).Match(b) || own {
				continue
			}
			if other, twice := by[b]; twice {
				return nil, fmt.Errorf("weights: %s is matched by %s and by %s", b, other, sel)
			}
			found, by[b], out[b] = true, sel, s.Weights[sel]
		}
		if !found {
			return nil, fmt.Errorf("weights: %s matches no backend", sel)
		}
	}
	return out, nil
}
