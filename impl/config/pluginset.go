package config

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/unilb/unilb/impl/apisix"
	"github.com/unilb/unilb/impl/apisix/plugin"
)

// own is a plugin as one object has it.
type own struct {
	name string
	conf json.RawMessage
	// priority says when it runs: higher ones first. It is the catalogue's, or the one
	// of _meta.
	priority int
	off      bool // by _meta.disable
	guards   bool // keeps requests away, or may: the catalogue does not know it
	auth     bool // finds out which consumer asks
}

// pluginSet is the plugins of one object in the order they run.
type pluginSet []own

func (s pluginSet) has(name string) bool {
	return slices.ContainsFunc(s, func(p own) bool { return p.name == name })
}

// active tells whether some are not switched off.
func (s pluginSet) active() bool {
	return slices.ContainsFunc(s, func(p own) bool { return !p.off })
}

func inOrder(a, b own) int {
	return cmp.Or(cmp.Compare(b.priority, a.priority), strings.Compare(a.name, b.name))
}

// pluginsOf checks the plugins of an object; k says whose they are.
func pluginsOf(o *apisix.Object, k plugin.Kind) (pluginSet, error) {
	plugins, _ := o.Value("plugins").(map[string]any) // an empty list is an empty table of Lua
	if len(plugins) == 0 {
		return nil, nil
	}
	all := make(pluginSet, 0, len(plugins))
	for name, text := range o.Members("plugins") {
		if all.has(name) { // the last counts
			all = slices.DeleteFunc(all, func(p own) bool { return p.name == name })
		}
		p, err := compilePlugin(name, plugins[name], k)
		if err != nil {
			return nil, err
		}
		p.conf = text
		all = append(all, p)
	}
	slices.SortFunc(all, inOrder)
	return all, nil
}

// compilePlugin leaves out the text of the configuration.
func compilePlugin(name string, v any, k plugin.Kind) (own, error) {
	conf, ok := plugin.Conf(v)
	if !ok {
		text, err := json.Marshal(v)
		if err != nil {
			text = []byte("?") // cannot be: it came from JSON
		}
		return own{}, fmt.Errorf("invalid plugin conf %s for plugin [%s]", text, name)
	}
	// What is not known is the last, and whoever wrote it knew what it guards.
	u := own{name: name, priority: math.MinInt, off: plugin.Disabled(conf), guards: true}
	p, known := plugin.Lookup(name)
	if known {
		u.priority, u.guards, u.auth = p.Priority, p.Guards, p.Type == "auth"
		if err := p.Check(conf, k); err != nil {
			return own{}, fmt.Errorf("failed to check the configuration of plugin %s err: %w", name, err)
		}
	}
	if meta, ok := conf["_meta"].(map[string]any); ok {
		if n, ok := meta["priority"].(json.Number); ok {
			if f, err := n.Float64(); err == nil {
				u.priority = clamp(f)
			}
		}
	}
	return u, nil
}

func clamp(f float64) int { return int(max(-1<<53, min(1<<53, f))) }
