package config

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync/atomic"

	"github.com/unilb/unilb/impl/apisix"
	"github.com/unilb/unilb/impl/apisix/plugin"
	"github.com/unilb/unilb/impl/expr"
	"github.com/unilb/unilb/impl/route"
)

// Route is a compiled route.
//
// There may be a hundred thousand of them: it holds what requests need, and what people
// ask for is read again from the object.
type Route struct {
	ID string
	// The objects that it names; empty: none.
	ServiceID, UpstreamID, PluginConfigID string
	// Inline is the route's own upstream; nil: it has none.
	Inline *Upstream

	timeouts  *Timeouts // in the place of the upstream's; nil: those count
	updates   int32     // see Stored
	websocket setting   // in the place of the service's
	disabled  bool      // takes no part in routing
	active    bool      // of its plugins some are not switched off

	// rule is the route as the table knows it, but for the hosts that it takes from its
	// service.
	rule    route.Rule[*Route]
	plugins pluginSet // its own
	written written

	// Found belongs to who handles requests: what it has found about the route, which
	// ends with it.
	Found atomic.Value
}

// Service is a compiled service.
type Service struct {
	ID     string
	Spec   *apisix.Service
	Inline *Upstream

	plugins pluginSet
}

func compileRoute(c *Change, id string) (*Route, error) {
	o, err := apisix.Parse(c.Value)
	if err != nil {
		return nil, err
	}
	spec, err := o.Route(id)
	if err != nil {
		return nil, err
	}
	if spec.Lua != "" {
		return nil, Unsupported(spec.Lua + " (Lua)")
	}
	plugins, err := pluginsOf(o, plugin.Route)
	if err != nil {
		return nil, err
	}
	r := &Route{ID: id, ServiceID: spec.ServiceID, UpstreamID: spec.UpstreamID, PluginConfigID: spec.PluginConfigID,
		websocket: settingOf(spec.EnableWebsocket), disabled: !spec.Enabled(), active: plugins.active(), plugins: plugins, rule: route.Rule[*Route]{
			ID: id, Hosts: spec.HostNames(), Paths: spec.Paths(), Methods: spec.Methods, Priority: spec.Priority, Age: c.Create,
		}}
	r.rule.Value = r
	together(r.rule.Hosts, r.rule.Paths)
	if spec.Timeout != nil {
		t := timeouts(spec.Timeout)
		r.timeouts = &t
	}
	for _, s := range spec.Sources() {
		p, err := expr.ParseNet(s)
		if err != nil {
			return nil, fmt.Errorf("remote_addr %q: %w", s, err)
		}
		r.rule.Remotes = append(r.rule.Remotes, p)
	}
	vars, _ := o.Value("vars").([]any)
	if r.rule.Vars, r.rule.Listener, err = expr.Compile(vars); err != nil {
		return nil, fmt.Errorf("failed to validate the 'vars' expression: %w", err)
	}
	if spec.Upstream != nil {
		if r.Inline, err = compileUpstream(c.name("routes/"), spec.Upstream); err != nil {
			return nil, err
		}
	}
	o.Release() // r has none of its tree but texts
	return r, nil
}

// together replaces the texts of some lists by copies that lie in one place, and are parts
// of nothing else.
func together(lists ...[]string) {
	size := 0
	for _, list := range lists {
		for _, s := range list {
			size += len(s)
		}
	}
	var b strings.Builder
	b.Grow(size)
	for _, list := range lists {
		for i, s := range list {
			b.WriteString(s)
			list[i] = b.String()[b.Len()-len(s):] // b does not grow any more
		}
	}
}

// ruleWith is the rule of a route that is in force; nil: it takes no part in routing.
func (r *Route) ruleWith(s *Service) *route.Rule[*Route] {
	switch {
	case r.disabled:
		return nil
	case !r.inheritsHosts():
		return &r.rule
	}
	rule := r.rule
	rule.Hosts = s.hosts()
	return &rule
}

func (r *Route) inheritsHosts() bool {
	return len(r.rule.Hosts) == 0 && r.ServiceID != ""
}

// Name is what its owner calls it. It is read from the object.
func (r *Route) Name() string {
	o, err := apisix.Parse(r.written.value)
	if err != nil {
		return ""
	}
	name, _ := o.Value("name").(string)
	return name
}

// Paths are its paths as they were written. They must not be changed.
func (r *Route) Paths() []string { return r.rule.Paths }

// HostNames are its own hosts as they were written; nil: those of its service count. They
// must not be changed.
func (r *Route) HostNames() []string { return r.rule.Hosts }

// Priority is that of the route; higher ones are looked at first.
func (r *Route) Priority() int64 { return r.rule.Priority }

// vars are its conditions as they were written.
func (r *Route) vars() json.RawMessage {
	o, err := apisix.Parse(r.written.value)
	if err != nil {
		return nil
	}
	return o.Vars()
}

// setting is a switch that may be left to others.
type setting uint8

const (
	left setting = iota
	off
	on
)

func settingOf(b *bool) setting {
	switch {
	case b == nil:
		return left
	case *b:
		return on
	}
	return off
}

func compileService(c *Change, id string) (*Service, error) {
	o, err := apisix.Parse(c.Value)
	if err != nil {
		return nil, err
	}
	spec, err := o.Service(id)
	if err != nil {
		return nil, err
	}
	if spec.Lua != "" {
		return nil, Unsupported(spec.Lua + " (Lua)")
	}
	plugins, err := pluginsOf(o, plugin.Route)
	if err != nil {
		return nil, err
	}
	s := &Service{ID: id, Spec: spec, plugins: plugins}
	together(spec.Hosts)
	if spec.Upstream != nil {
		if s.Inline, err = compileUpstream(c.name("services/"), spec.Upstream); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// Unsupported is the error of an object that asks for what this gateway does
// not do. The text names it.
type Unsupported string

func (u Unsupported) Error() string { return string(u) + " is not supported by this gateway yet" }
