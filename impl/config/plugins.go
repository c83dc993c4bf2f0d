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

// compilePlugins checks the plugins of an object and finds out which of them cannot
// be run.
func compilePlugins(plugins map[string]json.RawMessage) (Gaps, error) {
	var g Gaps
	names := slices.SortedFunc(maps.Keys(plugins), byPriority)
	for _, name := range names {
		v, err := apisix.Decode(plugins[name])
		conf, ok := plugin.Conf(v)
		if err != nil || !ok {
			return Gaps{}, fmt.Errorf("invalid plugin conf %s for plugin [%s]", plugins[name], name)
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
		all := slices.Concat(own, slices.DeleteFunc(slices.Clone(inherited), replaced))
		slices.SortFunc(all, byPriority)
		return all
	}
	return Gaps{Guards: merge(r.gaps.Guards, s.gaps.Guards), Skipped: merge(r.gaps.Skipped, s.gaps.Skipped)}
}

// Gaps returns the gaps of routes with their services, by id of the route, of most
// at most; more is the number of those left out. It looks at every route when any
// object has a gap.
func (s *Snapshot) Gaps(most int) (gaps map[string]Gaps, more int) {
	gaps = map[string]Gaps{}
	if s.gapped == 0 {
		return gaps, 0
	}
	for id, r := range s.routes.All() {
		g := r.allGaps(s.service(r.Spec.ServiceID))
		switch {
		case g.none():
		case len(gaps) < most:
			gaps[id] = g
		default:
			more++
		}
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
