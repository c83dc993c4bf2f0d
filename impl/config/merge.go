package config

import (
	"encoding/json"
	"slices"
)

// PluginUse is a plugin that runs for a request.
type PluginUse struct {
	Name string
	// Priority says when it runs: in every phase first those of global rules, then the
	// others, and among either the higher ones first. It is the catalogue's, or the one
	// of _meta. Of equals the first by name is the first.
	Priority int
	Conf     json.RawMessage // as it was written; must not be changed
	// From is the object that it comes from: routes/1, plugin_configs/1, services/1,
	// consumer_groups/1, consumers/jack, global_rules/1.
	From Origin
	// Late plugins come from the consumer or its group, who is known only when the
	// plugins of the route have rewritten the request: theirs rewrite it after them.
	Late bool
	// Guards tells that it keeps requests away; nobody may serve a route without it.
	Guards bool
}

// Origin is an object that plugins come from.
type Origin struct {
	Kind Kind
	ID   string
}

func (o Origin) String() string { return o.Kind.Directory() + "/" + o.ID }

func (p *own) use(from Origin) PluginUse {
	return PluginUse{
		Name: p.name, Priority: p.priority, Conf: p.conf, From: from, Guards: p.guards,
		Late: from.Kind == Consumers || from.Kind == ConsumerGroups,
	}
}

// preferRoute is the plugin that no global rule runs for a route that has it itself.
const preferRoute = "prometheus"

// layer is the plugins of one object.
type layer struct {
	from Origin
	set  pluginSet
}

// layers are what a route is merged of. The first that has a plugin of some name, even
// one that is switched off, is the one whose plugin of that name counts; no two
// configurations become one.
type layers [5]layer

const (
	ofConsumer = iota
	ofConsumerGroup
	ofRoute
	ofPluginConfig
	ofService
)

// covered tells whether a layer before this one has the plugin.
func (ls *layers) covered(layer int, name string) bool {
	for i := range layer {
		if ls[i].set.has(name) {
			return true
		}
	}
	return false
}

// counts tells whether a plugin of a layer is run.
func (ls *layers) counts(layer int, p *own) bool { return !p.off && !ls.covered(layer, p.name) }

// runs tells whether the merge runs a plugin of that name.
func (ls *layers) runs(name string) bool {
	for i := range ls {
		for j := range ls[i].set {
			if p := &ls[i].set[j]; p.name == name {
				return !p.off
			}
		}
	}
	return false
}

// layersOf follows the references of a route to objects with plugins, in the order in
// which APISIX misses them. It allocates nothing unless one is missing; then it
// returns those that are there as well.
func (s *Snapshot) layersOf(r *Route) (ls layers, svc *Service, err error) {
	ls[ofRoute] = layer{Origin{Routes, r.ID}, r.plugins}
	if id := r.PluginConfigID; id != "" {
		plugins, ok := s.pluginConfigs.Get(id)
		if !ok {
			err = &MissingError{MissingPluginConfig, id}
		}
		ls[ofPluginConfig] = layer{Origin{PluginConfigs, id}, plugins}
	}
	if id := r.ServiceID; id != "" {
		if svc = s.service(id); svc != nil {
			ls[ofService] = layer{Origin{Services, id}, svc.plugins}
		} else if err == nil {
			err = &MissingError{MissingService, id}
		}
	}
	return ls, svc, err
}

// identify adds what a consumer brings with him. Plugins that find out who he is have
// done so: they are the route's.
func (s *Snapshot) identify(ls *layers, username string) error {
	c, ok := s.consumers.Get(username)
	if !ok {
		return &MissingError{MissingConsumer, username}
	}
	ls[ofConsumer] = layer{Origin{Consumers, username}, c.plugins}
	if c.group == "" {
		return nil
	}
	group, ok := s.consumerGroups.Get(c.group)
	if !ok {
		return &MissingError{MissingConsumerGroup, c.group}
	}
	ls[ofConsumerGroup] = layer{Origin{ConsumerGroups, c.group}, group}
	return nil
}

// Plugins returns the plugins that run for a request, in their order. r nil: no
// route matches, and only those of global rules run. consumer is the name of the one
// who was identified; empty: nobody was. The error is a *MissingError; what there is
// is returned with it.
//
// A plugin of the consumer comes before one of the same name of its group, that before
// the route's, that before the plugin config's, that before the service's. Global rules stand
// beside them: their plugins run as well.
func (s *Snapshot) Plugins(r *Route, consumer string) ([]PluginUse, error) {
	var ls layers
	var err error
	if r != nil {
		ls, _, err = s.layersOf(r)
	}
	if r != nil && consumer != "" {
		if missing := s.identify(&ls, consumer); err == nil {
			err = missing
		}
	}
	var uses []PluginUse
	for _, u := range s.everywhere {
		if u.Name != preferRoute || !ls.runs(u.Name) {
			uses = append(uses, u)
		}
	}
	global := len(uses)
	for i := range ls {
		for j := range ls[i].set {
			if p := &ls[i].set[j]; ls.counts(i, p) {
				uses = append(uses, p.use(ls[i].from))
			}
		}
	}
	slices.SortFunc(uses[global:], usesInOrder)
	return uses, err
}

func usesInOrder(a, b PluginUse) int {
	return inOrder(own{name: a.Name, priority: a.Priority}, own{name: b.Name, priority: b.Priority})
}
