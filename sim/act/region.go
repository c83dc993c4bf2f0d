package act

import (
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/unilb/unilb/sim/check"
	"github.com/unilb/unilb/sim/history"
	"github.com/unilb/unilb/sim/lab"
	"github.com/unilb/unilb/sim/tenant"
	"github.com/unilb/unilb/sim/traffic"
	"github.com/unilb/unilb/topology"
)

// Bound is how long anything may take that a scenario waits for, unless it says
// otherwise. It is at least ten times what a quiet machine needs: scenarios report
// what they measured, and only benchmarks judge it.
const Bound = 15 * time.Second

// pollEvery is the pace of waits that have no event to wait for.
const pollEvery = 20 * time.Millisecond

// A Region is a running lab with what a scenario has made in it.
type Region struct {
	Lab      *lab.Lab
	Plan     *topology.Plan
	Recorder *history.Recorder

	tenants map[string]*tenant.Client // by region of the plan

	mu    sync.Mutex
	facts check.Facts
}

// New begins to act on a lab that is up.
func New(l *lab.Lab) *Region {
	r := &Region{Lab: l, Plan: l.Plan(), Recorder: l.Recorder(), facts: check.FactsOf(l.Plan()), tenants: map[string]*tenant.Client{}}
	replicas := map[string][]netip.AddrPort{}
	for _, n := range r.Plan.OfKind(topology.KindAPI) {
		replicas[n.Region] = append(replicas[n.Region], netip.AddrPortFrom(n.Underlay, topology.APIPort))
	}
	// The calls come from the edge router: outside the lab the stack platform
	// would stand there.
	for _, n := range r.Plan.OfKind(topology.KindEdge) {
		if at := replicas[n.Region]; len(at) > 0 {
			if edge, err := l.Node(n.Ref); err == nil {
				r.tenants[n.Region] = tenant.New(edge, topology.APIKey, at...)
			}
		}
	}
	return r
}

// Tenant is the client of a region's lbc-api; without a name, of the first
// region that has one. The error says what the topology lacks.
func (r *Region) Tenant(region string) (*tenant.Client, error) {
	for _, n := range r.Plan.OfKind(topology.KindEdge) {
		if t := r.tenants[n.Region]; t != nil && (region == "" || region == n.Region) {
			return t, nil
		}
	}
	return nil, fmt.Errorf("the topology has no lbc-api%s; name one under regions.*.control.lbc-api", where(region))
}

func where(region string) string {
	if region == "" {
		return ""
	}
	return " in region " + region
}

// Facts are what checks must know: the plan's, and who owns which site.
func (r *Region) Facts() check.Facts {
	r.mu.Lock()
	defer r.mu.Unlock()
	f := r.facts
	f.Networks = slices.Clone(f.Networks)
	return f
}

// Node is a node of the lab.
func (r *Region) Node(ref topology.Ref) (*lab.Node, error) { return r.Lab.Node(ref) }

// First is the first node of a kind in a region; in any when the region is "".
func (r *Region) First(k topology.Kind, region string) (*lab.Node, error) {
	for _, n := range r.Plan.OfKind(k) {
		if region == "" || n.Region == region || n.Region == "" {
			return r.Lab.Node(n.Ref)
		}
	}
	return nil, fmt.Errorf("the topology has no node of kind %s%s", k, where(region))
}

// Address is where a backend listens: a guest's address in its VPC, or the
// address of a server.
func (r *Region) Address(ref topology.Ref) (netip.Addr, error) {
	n, ok := r.Plan.Node(ref)
	switch {
	case !ok:
		return netip.Addr{}, fmt.Errorf("the topology has no node %s", ref)
	case n.Guest != nil:
		return n.Guest.IP, nil
	default:
		return n.Underlay, nil
	}
}

// VIP is the VIP with the name.
func (r *Region) VIP(name string) (topology.PlannedVIP, error) {
	var known []string
	for _, v := range r.Plan.VIPs {
		if v.Name == name {
			return v, nil
		}
		known = append(known, v.Name)
	}
	return topology.PlannedVIP{}, fmt.Errorf("the topology has no vip %q; there are: %v", name, known)
}

// Clients are the selected clients of the topology, all of them for "".
func (r *Region) Clients(sel topology.Selector) ([]traffic.Client, error) {
	if sel == "" {
		sel = "client/*"
	}
	var out []traffic.Client
	for _, n := range r.Lab.Select(sel) {
		out = append(out, traffic.Client{Ref: n.Ref(), Dialer: n})
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("no node is selected by %q", sel)
	}
	return out, nil
}

// own notes that an address and a host name belong to the network of an app.
func (r *Region) own(a App, at netip.Addr) {
	n := check.Network{Name: a.Name, Addrs: []netip.Addr{at}, Hosts: []string{a.Host}}
	for _, v := range r.Plan.VPCs {
		if v.Name == a.VPC {
			n.VNI = v.VNI
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.facts.Networks = append(slices.Clone(r.facts.Networks), n)
}

// grant notes that nodes may be targets of an app from now on. What was one stays
// one: requests under way, and gateways that lag, still go there.
func (r *Region) grant(app string, refs []topology.Ref) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range r.facts.Networks {
		n := &r.facts.Networks[i]
		if n.Name != app {
			continue
		}
		all := slices.Concat(n.Backends, refs)
		slices.Sort(all)
		n.Backends = slices.Compact(all)
	}
}

// Note adds a line to the run's timeline.
func (r *Region) Note(kind, format string, args ...any) {
	r.Recorder.Event(history.Event{At: r.Recorder.Now(), Kind: kind, Text: fmt.Sprintf(format, args...)})
}
