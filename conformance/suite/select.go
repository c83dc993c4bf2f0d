package suite

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"path"
	"slices"

	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/topology/strict"
)

// Validate finds everything that is wrong with a list of cases: bad
// declarations, repeated ids, unknown or circular dependencies, features of no
// profile.
func Validate(cases []spec.Case) error {
	var errs []error
	ids := map[string]spec.Case{}
	for _, c := range cases {
		errs = append(errs, c.Validate())
		if _, twice := ids[c.ID]; twice {
			errs = append(errs, fmt.Errorf("case %s: id is used twice", c.ID))
		}
		if len(c.Needs) > 0 && spec.ProfileOf(c) == "" {
			errs = append(errs, fmt.Errorf("case %s: no profile holds %s", c.ID, c.Needs[0]))
		}
		ids[c.ID] = c
	}
	for _, c := range cases {
		for _, a := range c.After {
			if _, ok := ids[a]; !ok {
				errs = append(errs, fmt.Errorf("case %s: builds on %s, which is not a case", c.ID, a))
			}
		}
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	_, err := Order(cases)
	return err
}

// Order puts the cases of the blocking part first, so that their verdict is known
// early, and every case behind those it builds on; otherwise it keeps the order. A
// case that builds on itself is an error.
func Order(cases []spec.Case) ([]spec.Case, error) {
	cases = slices.Clone(cases)
	slices.SortStableFunc(cases, func(a, b spec.Case) int { return before(spec.Blocking(a), spec.Blocking(b)) })
	var out []spec.Case
	const fresh, open, done = 0, 1, 2
	state := map[string]int{}
	byID := map[string]spec.Case{}
	for _, c := range cases {
		byID[c.ID] = c
	}
	var visit func(c spec.Case) error
	visit = func(c spec.Case) error {
		switch state[c.ID] {
		case open:
			return fmt.Errorf("case %s builds on itself", c.ID)
		case done:
			return nil
		}
		state[c.ID] = open
		for _, a := range c.After {
			if err := visit(byID[a]); err != nil {
				return err
			}
		}
		state[c.ID] = done
		out = append(out, c)
		return nil
	}
	for _, c := range cases {
		if err := visit(c); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func before(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	}
	return 1
}

// Select keeps the cases whose ids match one of the patterns (as in path.Match;
// none: all), and those that they build on. A pattern that matches nothing is
// an error: a misspelled case must not look like a pass.
func Select(cases []spec.Case, patterns []string) ([]spec.Case, error) {
	if len(patterns) == 0 {
		return cases, nil
	}
	want := map[string]bool{}
	for _, p := range patterns {
		found := false
		for _, c := range cases {
			ok, err := path.Match(p, c.ID)
			if err != nil {
				return nil, fmt.Errorf("case pattern %q: %w", p, err)
			}
			if ok {
				want[c.ID], found = true, true
			}
		}
		if !found {
			return nil, fmt.Errorf("case pattern %q matches no case%s", p, strict.DidYouMean(p, idsOf(cases)))
		}
	}
	return withBase(cases, want), nil
}

func idsOf(cases []spec.Case) []string {
	var ids []string
	for _, c := range cases {
		ids = append(ids, c.ID)
	}
	return ids
}

// withBase keeps the wanted cases and those that they build on.
func withBase(cases []spec.Case, want map[string]bool) []spec.Case {
	for grew := true; grew; {
		grew = false
		for _, c := range cases {
			for _, a := range c.After {
				if want[c.ID] && !want[a] {
					want[a], grew = true, true
				}
			}
		}
	}
	return slices.DeleteFunc(slices.Clone(cases), func(c spec.Case) bool { return !want[c.ID] })
}

// Digest identifies a list of cases: reports of different lists compare only
// where both have a case.
func Digest(cases []spec.Case) string {
	h := sha256.New()
	for _, c := range cases {
		_, _ = fmt.Fprintf(h, "%q %q %q %q %q\n", c.ID, c.Title, c.Level, c.Needs, c.Objects) // a hash takes everything
	}
	return fmt.Sprintf("sha256:%x", h.Sum(nil))
}
