package suite

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/topology/strict"
)

// A Choice is what somebody wants to see or run. What is empty does not matter; of
// several words of one kind any will do. The zero value chooses every case.
type Choice struct {
	Patterns []string // of ids, as in path.Match
	Profiles []string // names, in any case
	Features []string // that the case needs
	Levels   []string
	Blocking bool // only the blocking part
}

// Of keeps the chosen cases, without those that they build on. A word that means
// nothing is an error: a misspelled profile must not look like an empty one.
func (w Choice) Of(cases []spec.Case) ([]spec.Case, error) {
	if err := w.check(cases); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(slices.Clone(cases), func(c spec.Case) bool { return !w.has(c) }), nil
}

// WithBase keeps the chosen cases, and those that they build on.
func (w Choice) WithBase(cases []spec.Case) ([]spec.Case, error) {
	chosen, err := w.Of(cases)
	if err != nil {
		return nil, err
	}
	want := map[string]bool{}
	for _, c := range chosen {
		want[c.ID] = true
	}
	return withBase(cases, want), nil
}

func (w Choice) has(c spec.Case) bool {
	anyOf := func(words []string, ok func(string) bool) bool {
		return len(words) == 0 || slices.ContainsFunc(words, ok)
	}
	return anyOf(w.Patterns, func(p string) bool { ok, _ := path.Match(p, c.ID); return ok }) && // checked
		anyOf(w.Profiles, func(p string) bool { return strings.EqualFold(p, spec.ProfileOf(c)) }) &&
		anyOf(w.Features, func(f string) bool { return slices.Contains(c.Needs, spec.Feature(f)) }) &&
		anyOf(w.Levels, func(l string) bool { return spec.Level(l) == c.Level }) &&
		(!w.Blocking || spec.Blocking(c))
}

func (w Choice) check(cases []spec.Case) error {
	var profiles, features []string
	for _, p := range spec.Profiles() {
		profiles = append(profiles, p.Name)
	}
	for _, f := range spec.Features() {
		features = append(features, string(f))
	}
	if _, err := Select(cases, w.Patterns); err != nil {
		return err
	}
	for _, k := range []struct {
		kind         string
		words, known []string
	}{
		{"profile", w.Profiles, profiles}, {"feature", w.Features, features}, {"level", w.Levels, []string{"must", "should", "may"}},
	} {
		for _, word := range k.words {
			if !slices.ContainsFunc(k.known, func(s string) bool { return strings.EqualFold(s, word) && (k.kind == "profile" || s == word) }) {
				return fmt.Errorf("unknown %s %q%s", k.kind, word, strict.DidYouMean(word, k.known))
			}
		}
	}
	return nil
}
