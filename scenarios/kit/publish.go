//go:build scenarios

package kit

import (
	"context"
	"net/netip"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/unilb/unilb/sim/history"
	"github.com/unilb/unilb/sim/tenant"
	"github.com/unilb/unilb/topology"
)

// An App is a tenant's site: one load balancer with one listener on port 80,
// one rule for one host name and one target group.
type App struct {
	Name   string // of the load balancer and of its group
	Host   string // name clients ask for
	VIP    string // name of the EIP in the topology
	VPC    string // empty: IDC
	Target topology.Selector
	Check  *tenant.HealthCheck // nil: none
}

// A Service is a published App.
type Service struct {
	App
	To       netip.AddrPort // what clients connect to
	Backends []topology.Ref
}

const (
	listener = "web"
	rule     = "all"
	port     = 80
)

// Publish creates the load balancer and all that belongs to it, and returns
// when it is in force on every registered node.
func Publish(ctx context.Context, r *Region, a App) *Service {
	GinkgoHelper()
	p := PublishWithin(ctx, r, a)
	_, err := r.Tenant.Await(ctx, p.last)
	Expect(err).NotTo(HaveOccurred(), "publish %s", a.Name)
	return p.Service
}

// Publication is a service whose publication has been accepted.
type Publication struct {
	*Service
	last tenant.Operation
}

// PublishWithin creates the load balancer and returns when the API has accepted
// it, in force or not.
func PublishWithin(ctx context.Context, r *Region, a App) Publication {
	GinkgoHelper()
	By("publish " + a.Name)
	vip := r.VIP(a.VIP)
	s := &Service{App: a, To: netip.AddrPortFrom(vip, port)}
	r.own(a, vip)
	Retarget(ctx, r, s, a.Target)
	for _, call := range []struct {
		path string
		body any
	}{
		{tenant.LoadBalancerPath(a.Name), tenant.LoadBalancer{Tenant: a.Name, Address: vip.String()}},
		{tenant.ListenerPath(a.Name, listener), tenant.Listener{Protocol: "http", Port: port}},
	} {
		_, err := r.Tenant.Put(ctx, call.path, call.body)
		Expect(err).NotTo(HaveOccurred(), "publish %s", a.Name)
	}
	op, err := r.Tenant.Put(ctx, tenant.RulePath(a.Name, listener, rule),
		tenant.Rule{Hosts: []string{a.Host}, Paths: []string{"/*"}, TargetGroup: a.Name})
	Expect(err).NotTo(HaveOccurred(), "publish %s", a.Name)
	return Publication{s, op}
}

// Retarget gives a service other targets and returns when the API has accepted
// that. The write is part of the history, with what clients must see once it is
// in force.
func Retarget(ctx context.Context, r *Region, s *Service, to ...topology.Selector) tenant.Operation {
	GinkgoHelper()
	op, err := r.retarget(ctx, s, false, to)
	Expect(err).NotTo(HaveOccurred(), "give %s the targets %s", s.Name, to)
	return op
}

// Change gives a service other targets and returns when the system says that
// this is in force everywhere. What it says is part of the history, and judged.
func Change(ctx context.Context, r *Region, s *Service, to ...topology.Selector) tenant.Operation {
	GinkgoHelper()
	wait, cancel := context.WithTimeout(ctx, Bound)
	defer cancel()
	op, err := r.retarget(wait, s, true, to)
	Expect(err).NotTo(HaveOccurred(), "give %s the targets %s", s.Name, to)
	return op
}

func (r *Region) retarget(ctx context.Context, s *Service, await bool, to []topology.Selector) (tenant.Operation, error) {
	group := tenant.TargetGroup{Tenant: s.Name, VPC: s.VPC, HealthCheck: s.Check}
	var refs []topology.Ref
	for _, sel := range to {
		for _, n := range r.Lab.Select(sel) {
			group.Targets = append(group.Targets, tenant.Target{IP: r.address(n.Ref()).String(), Port: echoPort, Weight: 1})
			refs = append(refs, n.Ref())
		}
	}
	Expect(refs).NotTo(BeEmpty(), "no node is selected by %s", to)
	w := history.Write{
		Key: tenant.TargetGroupPath(s.Name), Call: r.Recorder.Now(),
		Serves: &history.Serves{Host: s.Host, Backends: refs},
	}
	op, err := r.Tenant.Put(ctx, w.Key, group)
	w.Return, w.Outcome = r.Recorder.Now(), history.OK
	if err != nil {
		w.Outcome, w.Error = history.Info, err.Error()
	} else if s.Backends = refs; await {
		if op, err = r.Tenant.Await(ctx, op); err == nil {
			w.InForce = r.Recorder.Now()
		}
	}
	r.Recorder.Write(w)
	return op, err
}
