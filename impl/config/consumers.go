package config

import (
	"slices"

	"github.com/unilb/unilb/impl/apisix"
	"github.com/unilb/unilb/impl/apisix/plugin"
)

// consumer is what a consumer brings to a request of his.
type consumer struct {
	group string // id of his group; empty: he has none
	// plugins without those that find out who he is.
	plugins pluginSet
}

// applyPluginConfig takes in plugins that routes share. The routes are not touched: they
// ask for them when a request comes.
func (s *Snapshot) applyPluginConfig(c *Change) error {
	old, _ := s.pluginConfigs.Get(c.ID)
	if c.Delete {
		s.pluginConfigs = s.pluginConfigs.DeleteIn(s.edit, c.ID)
		s.regap(old.active(), false)
		return nil
	}
	next, err := sharedPlugins(c.Value, (*apisix.Object).CheckPluginConfig)
	if err != nil {
		return err
	}
	s.pluginConfigs = s.pluginConfigs.SetIn(s.edit, c.ID, next)
	s.regap(old.active(), next.active())
	return nil
}

func (s *Snapshot) applyConsumerGroup(c *Change) error {
	if c.Delete {
		s.consumerGroups = s.consumerGroups.DeleteIn(s.edit, c.ID)
		return nil
	}
	next, err := sharedPlugins(c.Value, (*apisix.Object).CheckConsumerGroup)
	if err != nil {
		return err
	}
	s.consumerGroups = s.consumerGroups.SetIn(s.edit, c.ID, withoutAuth(next))
	return nil
}

func (s *Snapshot) applyConsumer(c *Change) error {
	if c.Delete {
		s.consumers = s.consumers.DeleteIn(s.edit, c.ID)
		return nil
	}
	o, err := apisix.Parse(c.Value)
	if err != nil {
		return err
	}
	if err := o.CheckConsumer(); err != nil {
		return err
	}
	plugins, err := pluginsOf(o, plugin.Consumer)
	if err != nil {
		return err
	}
	s.consumers = s.consumers.SetIn(s.edit, c.ID, &consumer{group: apisix.IDText(o.Value("group_id")), plugins: withoutAuth(plugins)})
	return nil
}

// applyCredential checks one: it holds what a consumer shows to be identified, and adds
// no plugin to his requests.
func (s *Snapshot) applyCredential(c *Change) error {
	if c.Delete {
		s.credentials = s.credentials.DeleteIn(s.edit, c.ID)
		return nil
	}
	o, err := apisix.Parse(c.Value)
	if err != nil {
		return err
	}
	if err := o.CheckCredential(); err != nil {
		return err
	}
	plugins, err := pluginsOf(o, plugin.Consumer)
	if err != nil {
		return err
	}
	s.credentials = s.credentials.SetIn(s.edit, c.ID, plugins)
	return nil
}

// sharedPlugins reads an object that is nothing but plugins.
func sharedPlugins(value []byte, check func(*apisix.Object) error) (pluginSet, error) {
	o, err := apisix.Parse(value)
	if err != nil {
		return nil, err
	}
	if err := check(o); err != nil {
		return nil, err
	}
	return pluginsOf(o, plugin.Route)
}

func withoutAuth(s pluginSet) pluginSet {
	return slices.DeleteFunc(s, func(p own) bool { return p.auth })
}
