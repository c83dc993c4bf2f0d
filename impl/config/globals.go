package config

import (
	"errors"

	"github.com/unilb/unilb/impl/apisix"
)

// applyGlobalRule takes in a rule, whose plugins count for every route beside its own.
func (s *Snapshot) applyGlobalRule(c Change) error {
	old, _ := s.globals.Get(c.ID)
	if c.Delete {
		s.globals = s.globals.Delete(c.ID)
		s.regap(old, Gaps{})
		s.guardAll()
		return nil
	}
	o, err := apisix.Parse(c.Value)
	if err != nil {
		return err
	}
	plugins, ok := o.Value("plugins").(map[string]any)
	if !ok {
		return errors.New(`invalid configuration: property "plugins" is required`)
	}
	gaps, err := gapsIn(plugins)
	if err != nil {
		return err
	}
	s.globals = s.globals.Set(c.ID, gaps)
	s.regap(old, gaps)
	s.guardAll()
	return nil
}

// guardAll finds what closes every route. (APISIX runs a plugin that is in two rules for
// neither; closed is the safe answer.)
func (s *Snapshot) guardAll() {
	s.guards = nil
	for _, g := range s.globals.All() {
		s.guards = mergeNames(s.guards, g.Guards)
	}
}
