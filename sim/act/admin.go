package act

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"

	"github.com/unilb/unilb/sim/admin"
	"github.com/unilb/unilb/topology"
)

// adminOptions are those of a client of a region's Admin API: behind its VIP when
// there is one, else each l7admin in turn. It stands on the region's edge router.
func (r *Region) adminOptions(region, name string) (admin.Options, error) {
	edge, err := r.First(topology.KindEdge, region)
	if err != nil {
		return admin.Options{}, err
	}
	region = edge.Plan().Region
	var at []netip.Addr
	if vip, ok := r.Plan.AdminVIP(region); ok {
		at = append(at, vip)
	} else {
		for _, n := range r.Plan.OfKind(topology.KindAdmin) {
			if n.Region == region {
				at = append(at, n.Underlay)
			}
		}
	}
	if len(at) == 0 {
		return admin.Options{}, fmt.Errorf("region %s has no l7admin; name one under regions.*.control.l7admin", region)
	}
	o := admin.Options{Ref: topology.Ref(name), Dialer: edge, Key: topology.AdminKey, Recorder: r.Recorder}
	for _, a := range at {
		o.URLs = append(o.URLs, fmt.Sprintf("http://%s/apisix/admin", netip.AddrPortFrom(a, topology.AdminPort)))
	}
	return o, nil
}

// EditByAdmin lets editors change routes through a region's Admin API, each with
// one call at a time, until all calls are made or ctx ends.
func (r *Region) EditByAdmin(ctx context.Context, region string, e admin.Edits) (admin.Tally, error) {
	o, err := r.adminOptions(region, e.Name)
	if err != nil {
		return admin.Tally{}, err
	}
	return admin.Edit(ctx, o, e)
}

// publishByAdmin publishes a site where there is no lbc-api: a route for its host
// name to the targets, which clients reach by the first gateway's own address.
func (r *Region) publishByAdmin(ctx context.Context, a App) (*Service, error) {
	gateways := r.Plan.OfKind(topology.KindL7)
	if len(gateways) == 0 {
		return nil, fmt.Errorf("publish %s: the topology has no gateway", a.Name)
	}
	gw := gateways[0]
	o, err := r.adminOptions(gw.Region, "publisher")
	if err != nil {
		return nil, fmt.Errorf("publish %s: %w", a.Name, err)
	}
	c, err := admin.New(o)
	if err != nil {
		return nil, fmt.Errorf("publish %s: %w", a.Name, err)
	}
	nodes := map[string]int{}
	s := &Service{App: a, Region: gw.Region, To: netip.AddrPortFrom(gw.Underlay, httpPort)}
	for _, n := range r.Lab.Select(a.Target) {
		at, err := r.Address(n.Ref())
		if err != nil {
			return nil, err
		}
		nodes[netip.AddrPortFrom(at, topology.EchoPort).String()] = 1
		s.backends = append(s.backends, n.Ref())
	}
	object, err := json.Marshal(map[string]any{
		"uri": "/*", "hosts": []string{a.Host}, "upstream": map[string]any{"type": "roundrobin", "nodes": nodes},
	})
	if err != nil {
		return nil, fmt.Errorf("publish %s: %w", a.Name, err)
	}
	r.own(a, gw.Underlay)
	r.grant(a.Name, s.backends)
	if err := c.Put(ctx, "/routes/"+a.Name, object).Err(); err != nil {
		return nil, fmt.Errorf("publish %s: %w", a.Name, err)
	}
	return s, r.Serves(ctx, s)
}
