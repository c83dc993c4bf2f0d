package config

import (
	"slices"
	"strings"
)

// Gaps are the plugins of an object that would run and that this gateway cannot run,
// those that would run first at the beginning. There is none yet that it can run.
type Gaps struct {
	// Guards keep requests away: what has one is not served without it. A plugin that
	// the catalogue does not know may be one, and counts as one.
	Guards []string `json:"closed_by,omitempty"`
	// Skipped are the others.
	Skipped []string `json:"skipped,omitempty"`
	// Clashing are plugins of a global rule that another rule has, too: as in APISIX
	// neither counts.
	Clashing []string `json:"clashing,omitempty"`
}

func (g *Gaps) none() bool { return len(g.Guards)+len(g.Skipped)+len(g.Clashing) == 0 }

func (g *Gaps) add(name string, guards bool) {
	if guards {
		g.Guards = append(g.Guards, name)
	} else {
		g.Skipped = append(g.Skipped, name)
	}
}

// ClosedError is the error of Resolve for a route that is not served, because what
// guards it cannot be run.
type ClosedError struct{ Guards []string }

func (e *ClosedError) Error() string {
	return Unsupported("plugin " + strings.Join(e.Guards, ", ")).Error()
}

// closed fails for a route whose merge, or a global rule, has a plugin that guards. It
// allocates nothing when none has.
func (s *Snapshot) closed(ls *layers) error {
	any := len(s.shut) > 0
	for i := range s.everywhere {
		any = any || s.everywhere[i].Guards
	}
	for i := range ls {
		for j := range ls[i].set {
			p := &ls[i].set[j]
			any = any || p.guards && ls.counts(i, p)
		}
	}
	if !any {
		return nil
	}
	guards := slices.Clone(s.shut)
	for _, u := range s.everywhere {
		if u.Guards {
			guards = append(guards, u.Name)
		}
	}
	for _, name := range ls.gaps().Guards {
		if !slices.Contains(guards, name) {
			guards = append(guards, name)
		}
	}
	return &ClosedError{guards}
}

// gapped tells whether there are gaps, and allocates nothing: most of many routes are only
// counted.
func (ls *layers) gapped() bool {
	for i := range ls {
		for j := range ls[i].set {
			if ls.counts(i, &ls[i].set[j]) {
				return true
			}
		}
	}
	return false
}

// gaps are those of a merge.
func (ls *layers) gaps() (g Gaps) {
	var all pluginSet
	for i := range ls {
		for j := range ls[i].set {
			if p := &ls[i].set[j]; ls.counts(i, p) {
				all = append(all, *p)
			}
		}
	}
	slices.SortFunc(all, inOrder)
	for i := range all {
		g.add(all[i].name, all[i].guards)
	}
	return g
}

// Gaps returns the gaps of global rules and of routes with what is merged into them, by
// kind and id such as "routes/1", of most at most; more is the number of those left
// out. It looks at every route when any object has a gap.
func (s *Snapshot) Gaps(most int) (gaps map[string]Gaps, more int) {
	gaps = map[string]Gaps{}
	if s.gapped == 0 {
		return gaps, 0
	}
	gaps = make(map[string]Gaps, min(most, s.gapped)) // hardly fewer, and no garbage of smaller ones
	for id, rule := range s.globals.All() {
		switch g := s.gapsOfRule(rule); {
		case g.none():
		case len(gaps) < most:
			gaps[Origin{GlobalRules, id}.String()] = g
		default:
			more++
		}
	}
	for id, r := range s.routes.All() {
		ls, _, _ := s.layersOf(r) // what is missing runs no plugin
		switch {
		case !ls.gapped():
		case len(gaps) < most:
			gaps[Origin{Routes, id}.String()] = ls.gaps()
		default:
			more++
		}
	}
	return gaps, more
}

func (s *Snapshot) gapsOfRule(rule pluginSet) (g Gaps) {
	for i := range rule {
		switch p := &rule[i]; {
		case slices.Contains(s.clashing, p.name):
			g.Clashing = append(g.Clashing, p.name)
		case !p.off:
			g.add(p.name, p.guards)
		}
	}
	return g
}

// regap keeps count of the objects that have gaps of their own.
func (s *Snapshot) regap(old, next bool) {
	if old {
		s.gapped--
	}
	if next {
		s.gapped++
	}
}
