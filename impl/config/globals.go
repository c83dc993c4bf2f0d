package config

import (
	"slices"

	"github.com/unilb/unilb/impl/apisix"
)

// applyGlobalRule takes in a rule, whose plugins count for every request beside those of
// its route.
func (s *Snapshot) applyGlobalRule(c *Change) error {
	old, _ := s.globals.Get(c.ID)
	if c.Delete {
		s.globals = s.globals.DeleteIn(s.edit, c.ID)
		s.regap(old.active(), false)
		s.mergeGlobals()
		return nil
	}
	next, err := sharedPlugins(c.Value, (*apisix.Object).CheckGlobalRule)
	if err != nil {
		return err
	}
	s.globals = s.globals.SetIn(s.edit, c.ID, next)
	s.regap(old.active(), next.active())
	s.mergeGlobals()
	return nil
}

// mergeGlobals makes one list of all rules. As in APISIX, a plugin that two rules have is
// run for neither, also when one of them has switched it off: nobody can say which was
// meant. But what guards closes every route instead: it was meant to keep requests away.
// The Admin API lets no such rules come to be, and the status names the plugins.
func (s *Snapshot) mergeGlobals() {
	s.everywhere, s.clashing, s.shut = nil, nil, nil
	in := map[string]int{}
	for _, rule := range s.globals.All() {
		for i := range rule {
			in[rule[i].name]++
		}
	}
	for id, rule := range s.globals.All() {
		for i := range rule {
			switch p := &rule[i]; {
			case in[p.name] > 1:
				s.clashing = append(s.clashing, p.name)
				if p.guards && !p.off && !slices.Contains(s.shut, p.name) {
					s.shut = append(s.shut, p.name)
				}
			case !p.off:
				s.everywhere = append(s.everywhere, p.use(Origin{GlobalRules, id}))
			}
		}
	}
	slices.SortFunc(s.everywhere, usesInOrder)
	slices.Sort(s.shut)
	slices.Sort(s.clashing)
	s.clashing = slices.Compact(s.clashing)
}
