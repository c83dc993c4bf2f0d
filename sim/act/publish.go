package act

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/unilb/unilb/sim/history"
	"github.com/unilb/unilb/sim/tenant"
	"github.com/unilb/unilb/topology"
)

// An App is a tenant's site: one load balancer with one listener on port 80, one
// rule for one host name and one target group.
type App struct {
	Name   string // of the load balancer and of its group
	Host   string // name clients ask for
	VIP    string // name of the EIP in the topology
	VPC    string // empty: IDC
	Target topology.Selector
	Check  *tenant.HealthCheck // nil: none
}

// A Service is a published App. Its fields are not changed after Publish.
type Service struct {
	App
	Region string
	To     netip.AddrPort // what clients connect to

	mu       sync.Mutex
	backends []topology.Ref
}

// Backends are the nodes that were last accepted as targets.
func (s *Service) Backends() []topology.Ref {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.backends)
}

// Names and ports of everything an App becomes.
const (
	listener = "web"
	allPaths = "all"
	httpPort = 80
)

// Publish creates the load balancer and all that belongs to it, and returns when
// the API has accepted the last of it, in force or not; see AwaitInForce. A
// topology without lbc-api gets a route instead, which serves when Publish returns.
func (r *Region) Publish(ctx context.Context, a App) (*Service, tenant.Operation, error) {
	fail := func(err error) (*Service, tenant.Operation, error) {
		return nil, tenant.Operation{}, fmt.Errorf("publish %s: %w", a.Name, err)
	}
	if len(r.tenants) == 0 {
		s, err := r.publishByAdmin(ctx, a)
		return s, tenant.Operation{}, err
	}
	vip, err := r.VIP(a.VIP)
	if err != nil {
		return fail(err)
	}
	api, err := r.Tenant(vip.Region)
	if err != nil {
		return fail(err)
	}
	s := &Service{App: a, Region: vip.Region, To: netip.AddrPortFrom(vip.Address, httpPort)}
	r.own(a, vip.Address)
	if _, err := r.Retarget(ctx, s, false, a.Target); err != nil {
		return fail(err)
	}
	for _, call := range []struct {
		path string
		body any
	}{
		{tenant.LoadBalancerPath(a.Name), tenant.LoadBalancer{Tenant: a.Name, Address: vip.Address.String()}},
		{tenant.ListenerPath(a.Name, listener), tenant.Listener{Protocol: "http", Port: httpPort}},
	} {
		if _, err := api.Put(ctx, call.path, call.body); err != nil {
			return fail(err)
		}
	}
	op, err := r.SetRule(ctx, s, Rule{Name: allPaths})
	if err != nil {
		return fail(err)
	}
	return s, op, nil
}

// A Rule sends a part of a site's requests to a target group.
type Rule struct {
	Name     string
	Path     string // "/*" when empty; a prefix ends in "*"
	Priority int
	Group    string // the site's own when empty
}

// SetRule creates or replaces a rule of a site.
func (r *Region) SetRule(ctx context.Context, s *Service, rule Rule) (tenant.Operation, error) {
	if rule.Path == "" {
		rule.Path = "/*"
	}
	if rule.Group == "" {
		rule.Group = s.Name
	}
	w := history.Write{
		Key:    tenant.RulePath(s.Name, listener, rule.Name),
		Routes: &history.Routes{Host: s.Host, Prefix: prefixOf(rule.Path), Group: rule.Group},
	}
	return r.write(ctx, s, w, tenant.Rule{Hosts: []string{s.Host}, Paths: []string{rule.Path}, Priority: rule.Priority, TargetGroup: rule.Group}, false)
}

// prefixOf is the prefix that a path with a star selects; a path without one
// selects itself alone and counts as it is.
func prefixOf(path string) string {
	if n := len(path); n > 0 && path[n-1] == '*' {
		path = path[:n-1]
	}
	if path == "/" {
		return ""
	}
	return path
}

// DropRule removes a rule of a site.
func (r *Region) DropRule(ctx context.Context, s *Service, name string) (tenant.Operation, error) {
	w := history.Write{Key: tenant.RulePath(s.Name, listener, name)}
	return r.write(ctx, s, w, nil, false)
}

// Retarget gives a service the selected nodes as targets and returns when the API
// has accepted that; with await, when the system says that it is in force
// everywhere. The write is part of the history with what clients must see once it
// is in force; so is the system's word for it.
func (r *Region) Retarget(ctx context.Context, s *Service, await bool, to ...topology.Selector) (tenant.Operation, error) {
	group := tenant.TargetGroup{Tenant: s.Name, VPC: s.VPC, HealthCheck: s.Check}
	refs, err := r.targets(&group, to, topology.EchoPort)
	if err != nil {
		return tenant.Operation{}, err
	}
	w := history.Write{
		Key:    tenant.TargetGroupPath(s.Name),
		Serves: &history.Serves{Host: s.Host, Backends: refs},
		Holds:  &history.Holds{Group: s.Name, Backends: refs},
	}
	r.grant(s.Name, refs) // accepted or not: it may have happened
	op, err := r.write(ctx, s, w, group, await)
	if err == nil || op.ID != "" { // accepted
		s.mu.Lock()
		s.backends = refs
		s.mu.Unlock()
	}
	return op, err
}

// Misdirect makes a target group of a site's tenant whose targets listen on
// another port than the nodes do: what an operator with a typing error does.
func (r *Region) Misdirect(ctx context.Context, s *Service, name string, port uint16, to ...topology.Selector) (tenant.Operation, error) {
	group := tenant.TargetGroup{Tenant: s.Name, VPC: s.VPC}
	refs, err := r.targets(&group, to, port)
	if err != nil {
		return tenant.Operation{}, err
	}
	r.grant(s.Name, refs)
	// What the group holds cannot be reached: no backend is what clients must see.
	w := history.Write{Key: tenant.TargetGroupPath(name), Holds: &history.Holds{Group: name}}
	return r.write(ctx, s, w, group, false)
}

// targets adds the selected nodes to the group and returns them.
func (r *Region) targets(g *tenant.TargetGroup, sels []topology.Selector, port uint16) ([]topology.Ref, error) {
	var refs []topology.Ref
	for _, sel := range sels {
		for _, n := range r.Lab.Select(sel) {
			at, err := r.Address(n.Ref())
			if err != nil {
				return nil, err
			}
			g.Targets = append(g.Targets, tenant.Target{IP: at.String(), Port: int(port), Weight: 1})
			refs = append(refs, n.Ref())
		}
	}
	if len(refs) == 0 {
		return nil, fmt.Errorf("no node is selected by %v", sels)
	}
	return refs, nil
}

// write carries out one change through lbc-api and records it. Without a body it
// is a delete.
func (r *Region) write(ctx context.Context, s *Service, w history.Write, body any, await bool) (tenant.Operation, error) {
	api, err := r.Tenant(s.Region)
	if err != nil {
		return tenant.Operation{}, err
	}
	w.Call = r.Recorder.Now()
	var op tenant.Operation
	if body == nil {
		op, err = api.Delete(ctx, w.Key)
	} else {
		op, err = api.Put(ctx, w.Key, body)
	}
	w.Return, w.Outcome = r.Recorder.Now(), history.OK
	var said *tenant.Error
	switch {
	case errors.As(err, &said) && said.Status < 500: // it was refused
		w.Outcome, w.Error = history.Fail, err.Error()
	case err != nil:
		w.Outcome, w.Error = history.Info, err.Error()
	case await:
		if op, err = api.Await(ctx, op); err == nil {
			w.InForce = r.Recorder.Now()
		}
	}
	if err == nil && !await {
		op = published(ctx, api, op)
	}
	w.Rev = op.Revisions[configPrefix]
	r.Recorder.Write(w)
	if err != nil {
		return op, fmt.Errorf("write %s: %w", w.Key, err)
	}
	return op, nil
}

// configPrefix is where gateways read: its revision orders the writes.
const configPrefix = "/apisix"

// publishLimit is how long a write is asked for its revision. Without a quorum of
// the store it has none for a long time, and stays without.
const publishLimit = 2 * time.Second

// published asks an accepted operation until it says at which revision it is in the
// store. What it says does not change when the write returned.
func published(ctx context.Context, api *tenant.Client, op tenant.Operation) tenant.Operation {
	ctx, cancel := context.WithTimeout(ctx, publishLimit)
	defer cancel()
	_ = poll(ctx, func() error { // without an answer it stays as it is
		if op.Revisions[configPrefix] != 0 || op.State == tenant.Failed {
			return nil
		}
		now, err := api.Operation(ctx, op.ID, 0)
		if err == nil {
			op = now
			err = errors.New("it is not published")
		}
		return err
	})
	return op
}

// AwaitInForce waits until a change to a service is in force on every registered
// node of its region. The system's word for it becomes part of the history, for this
// change and those before it: nodes apply them in the order of their revisions.
func (r *Region) AwaitInForce(ctx context.Context, s *Service, op tenant.Operation) (tenant.Operation, error) {
	if len(r.tenants) == 0 {
		return op, r.Serves(ctx, s)
	}
	api, err := r.Tenant(s.Region)
	if err != nil {
		return op, err
	}
	op, err = api.Await(ctx, op)
	if rev := op.Revisions[configPrefix]; err == nil {
		r.Recorder.InForce(func(w history.Write) bool { return w.Rev > 0 && w.Rev <= rev && s.owns(w.Key) })
	}
	return op, err
}

// owns says whether a write with that key is a change of the service.
func (s *Service) owns(key string) bool {
	return key == tenant.TargetGroupPath(s.Name) || strings.HasPrefix(key, tenant.ListenerPath(s.Name, listener)+"/")
}
