package config

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/unilb/unilb/impl/apisix"
	"github.com/unilb/unilb/impl/apisix/plugin"
)

// Gaps are the plugins of an object that are not switched off and that this gateway
// cannot run, those that would run first at the beginning. There is none yet that it
// can run.
type Gaps struct {
	// Guards keep requests away: what has one is not served without it. A plugin that
	// the catalogue does not know may be one, and counts as one.
	Guards []string `json:"closed_by,omitempty"`
	// Skipped are the others.
	Skipped []string `json:"skipped,omitempty"`
}

func (g Gaps) none() bool { return len(g.Guards)+len(g.Skipped) == 0 }

// ClosedError is the error of Resolve for a route that is not served, because what
// guards it cannot be run.
type ClosedError struct{ Guards []string }

func (e *ClosedError) Error() string { return unsupportedPlugins(e.Guards).Error() }

func unsupportedPlugins(names []string) Unsupported {
	return Unsupported("plugin " + strings.Join(names, ", "))
}

// compilePlugins is gapsIn for plugins as they were written.
func compilePlugins(plugins map[string]json.RawMessage) (Gaps, error) {
	if len(plugins) == 0 {
		return Gaps{}, nil
	}
	confs := make(map[string]any, len(plugins))
	for name, text := range plugins {
		conf, err := apisix.Decode(text)
		if err != nil {
			return Gaps{}, fmt.Errorf("plugin %s: %w", name, err)
		}
		confs[name] = conf
	}
	return gapsIn(confs)
}

// gapsIn checks the plugins of an object and finds out which of them cannot be run.
func gapsIn(plugins map[string]any) (Gaps, error) {
	var g Gaps
	for _, name := range slices.SortedFunc(maps.Keys(plugins), byPriority) {
		conf, ok := plugin.Conf(plugins[name])
		if !ok {
			text, err := json.Marshal(plugins[name])
			if err != nil {
				text = []byte("?") // cannot be: it came from JSON
			}
			return Gaps{}, fmt.Errorf("invalid plugin conf %s for plugin [%s]", text, name)
		}
		if plugin.Disabled(conf) {
			continue
		}
		p, known := plugin.Lookup(name)
		if known {
			if err := p.Check(conf, plugin.Route); err != nil {
				return Gaps{}, fmt.Errorf("failed to check the configuration of plugin %s err: %w", name, err)
			}
		}
		if known && !p.Guards {
			g.Skipped = append(g.Skipped, name)
		} else {
			g.Guards = append(g.Guards, name)
		}
	}
	return g, nil
}

func byPriority(a, b string) int {
	return cmp.Or(cmp.Compare(priority(b), priority(a)), strings.Compare(a, b))
}

// priority of a plugin; what is not known is the last.
func priority(name string) int {
	if p, known := plugin.Lookup(name); known {
		return p.Priority
	}
	return math.MinInt
}

// gaps are those of a route and its service together. A plugin of the route, even
// one that is switched off, replaces that of the service.
func (r *Route) allGaps(s *Service) Gaps {
	if s == nil || s.gaps.none() {
		return r.gaps
	}
	replaced := func(name string) bool { return r.Spec.Plugins[name] != nil }
	merge := func(own, inherited []string) []string {
		return mergeNames(own, slices.DeleteFunc(slices.Clone(inherited), replaced))
	}
	return Gaps{Guards: merge(r.gaps.Guards, s.gaps.Guards), Skipped: merge(r.gaps.Skipped, s.gaps.Skipped)}
}

// mergeNames returns the plugins of both lists, each once, those that would run first at
// the beginning.
func mergeNames(a, b []string) []string {
	if len(b) == 0 {
		return a
	}
	all := slices.Concat(a, b)
	slices.SortFunc(all, byPriority)
	return slices.Compact(all)
}

// Gaps returns the gaps of global rules and of routes with their services, by kind and
// id such as "routes/1", of most at most; more is the number of those left out. It
// looks at every route when any object has a gap.
func (s *Snapshot) Gaps(most int) (gaps map[string]Gaps, more int) {
	gaps = map[string]Gaps{}
	if s.gapped == 0 {
		return gaps, 0
	}
	add := func(key string, g Gaps) {
		switch {
		case g.none():
		case len(gaps) < most:
			gaps[key] = g
		default:
			more++
		}
	}
	for id, g := range s.globals.All() {
		add("global_rules/"+id, g)
	}
	for id, r := range s.routes.All() {
		add("routes/"+id, r.allGaps(s.service(r.Spec.ServiceID)))
	}
	return gaps, more
}

// regap keeps count of the objects that have gaps.
func (s *Snapshot) regap(old, next Gaps) {
	if !old.none() {
		s.gapped--
	}
	if !next.none() {
		s.gapped++
	}
}
