package config

import (
	"fmt"
	"sync/atomic"

	"github.com/unilb/unilb/impl/apisix"
	"github.com/unilb/unilb/impl/apisix/plugin"
	"github.com/unilb/unilb/impl/expr"
	"github.com/unilb/unilb/impl/route"
)

// Route is a compiled route.
type Route struct {
	ID   string
	Spec *apisix.Route
	// Inline is the route's own upstream; nil: it has none.
	Inline *Upstream

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

func compileRoute(c Change, id string) (*Route, error) {
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
	r := &Route{ID: id, Spec: spec, plugins: plugins, rule: route.Rule[*Route]{
		ID: id, Hosts: spec.HostNames(), Paths: spec.Paths(), Methods: spec.Methods, Priority: spec.Priority, Age: c.Create,
	}}
	r.rule.Value = r
	for _, s := range spec.Sources() {
		p, err := expr.ParseNet(s)
		if err != nil {
			return nil, fmt.Errorf("remote_addr %q: %w", s, err)
		}
		r.rule.Remotes = append(r.rule.Remotes, p)
	}
	vars, _ := o.Value("vars").([]any)
	if r.rule.Vars, r.rule.Listener, err = expr.CompileTree(vars); err != nil {
		return nil, fmt.Errorf("failed to validate the 'vars' expression: %w", err)
	}
	if spec.Upstream != nil {
		if r.Inline, err = compileUpstream("routes/"+id, spec.Upstream); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// ruleWith is the rule of a route that is in force; nil: it takes no part in routing.
func (r *Route) ruleWith(s *Service) *route.Rule[*Route] {
	switch {
	case !r.Spec.Enabled():
		return nil
	case !r.inheritsHosts():
		return &r.rule
	}
	rule := r.rule
	rule.Hosts = s.hosts()
	return &rule
}

func (r *Route) inheritsHosts() bool {
	return len(r.rule.Hosts) == 0 && r.Spec.ServiceID != ""
}

func compileService(c Change, id string) (*Service, error) {
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
	if spec.Upstream != nil {
		if s.Inline, err = compileUpstream("services/"+id, spec.Upstream); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// Unsupported is the error of an object that asks for what this gateway does
// not do. The text names it.
type Unsupported string

func (u Unsupported) Error() string { return string(u) + " is not supported by this gateway yet" }
