package config

import (
	"slices"

	"github.com/unilb/unilb/impl/route"
	"github.com/unilb/unilb/impl/route/hamt"
)

func inlineOf(r *Route) *Upstream {
	if r == nil {
		return nil
	}
	return r.Inline
}

// heirs are the routes that take their hosts from one service, each with its rule in
// the table; nil: it has none there.
type heirs = hamt.Map[string, *route.Rule[*Route]]

// indexed is the rule by which the table knows a route; nil: it does not.
func (s *Snapshot) indexed(r *Route) *route.Rule[*Route] {
	if r == nil {
		return nil
	}
	if !r.inheritsHosts() {
		return r.ruleWith(nil)
	}
	set, _ := s.heirs.Get(r.ServiceID)
	rule, _ := set.Get(r.ID)
	return rule
}

// inherit keeps heirs: which routes to index again when a service's hosts
// change.
func (s *Snapshot) inherit(old, next *Route, rule *route.Rule[*Route]) {
	if old != nil && old.inheritsHosts() {
		set, _ := s.heirs.Get(old.ServiceID)
		if set = set.DeleteIn(s.edit, old.ID); set.Len() == 0 {
			s.heirs = s.heirs.DeleteIn(s.edit, old.ServiceID)
		} else {
			s.heirs = s.heirs.SetIn(s.edit, old.ServiceID, set)
		}
	}
	if next != nil && next.inheritsHosts() {
		set, _ := s.heirs.Get(next.ServiceID)
		s.heirs = s.heirs.SetIn(s.edit, next.ServiceID, set.SetIn(s.edit, next.ID, rule))
	}
}

func (s *Snapshot) service(id string) *Service {
	svc, _ := s.services.Get(id)
	return svc
}

// hosts are those that its routes inherit; a service that is not there has none.
func (s *Service) hosts() []string {
	if s == nil {
		return nil
	}
	return s.Spec.Hosts
}

func (s *Snapshot) applyService(c *Change, d *Delta) error {
	old := s.service(c.ID)
	var next *Service
	if !c.Delete {
		var err error
		if next, err = compileService(c, c.ID); err != nil {
			return err
		}
	}
	// A service whose hosts the table refuses must change nothing at all. While they stay
	// the routes do: how many they are does not matter.
	if !slices.Equal(old.hosts(), next.hosts()) {
		// The edit is not the batch's: what that has made would change in place, here is a
		// trial.
		in, table := hamt.Begin(), s.table
		set, _ := s.heirs.Get(c.ID)
		moved := set
		for id, rule := range set.All() {
			if rule == nil {
				continue
			}
			there := rule.Value.ruleWith(next)
			var err error
			if table, err = table.ReplaceIn(in, rule, there); err != nil {
				return err
			}
			moved = moved.SetIn(in, id, there)
		}
		s.table = table
		if moved.Len() > 0 {
			s.heirs = s.heirs.SetIn(s.edit, c.ID, moved)
		}
	}
	var oldInline, nextInline *Upstream
	var oldPlugins, nextPlugins pluginSet
	if old != nil {
		oldInline, oldPlugins = old.Inline, old.plugins
	}
	if next != nil {
		nextInline, nextPlugins = next.Inline, next.plugins
		s.services = s.services.SetIn(s.edit, c.ID, next)
	} else {
		s.services = s.services.DeleteIn(s.edit, c.ID)
	}
	s.regap(oldPlugins.active(), nextPlugins.active())
	d.replaced(oldInline, nextInline)
	return nil
}
