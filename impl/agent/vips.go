package agent

import (
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"

	"github.com/vishvananda/netlink"

	"github.com/unilb/unilb/impl/node"
	"github.com/unilb/unilb/impl/store"
)

// errRegistryUnknown says that VIPs must wait: which addresses are nodes' is not
// known yet.
var errRegistryUnknown = errors.New("the registry is not known yet")

// vips keeps the VIPs of one pool on lo. An address on lo is this node's own: a
// VIP with the address of another machine cuts the node off from that machine,
// and with etcd's so that it never learns better. Such VIPs are refused.
type vips struct {
	lo   addresses
	pool string
	rep  reporter
	all  mirror[vip]
	// nodes are the addresses of registered nodes, with their names; nil before
	// the registry is known.
	nodes   map[netip.Addr]string
	refused map[string]bool // keys refused because of nodes
}

// addresses is the part of lo that VIPs change.
type addresses interface {
	// sync makes the labelled addresses exactly those of want.
	sync(want map[netip.Addr]bool) error
	// labelled returns them.
	labelled() (map[netip.Addr]bool, error)
}

// newVIPs returns a follower for the VIPs of a pool; own are addresses, of this
// node and of etcd, that are never VIPs.
func newVIPs(nl *netlink.Handle, pool string, own []netip.Addr, rep reporter) *vips {
	parse := func(b []byte) (vip, error) {
		v, err := parseVIP(b)
		if err == nil && slices.Contains(own, v.Address) {
			err = fmt.Errorf("address: %s is this node's own or that of etcd", v.Address)
		}
		return v, err
	}
	return &vips{
		lo: labelledAddresses{nl, vipLabel}, pool: pool, rep: rep, refused: make(map[string]bool),
		all: mirror[vip]{parse: parseKeyed(parse), mine: under(vipsPrefix)},
	}
}

func (v *vips) apply(b store.Batch) error {
	s, _ := v.all.take(b, v.rep)
	for _, key := range append(s.gone, s.put...) {
		delete(v.refused, key) // as take reported it: judged anew below
	}
	if s.empty() && !b.Reset {
		return nil
	}
	return v.audit()
}

func (v *vips) audit() error {
	if v.nodes == nil {
		return errRegistryUnknown
	}
	have, err := v.lo.labelled()
	if err != nil {
		return err
	}
	want, refused := v.plan(have)
	if err := v.lo.sync(want); err != nil {
		return err
	}
	for key := range v.refused {
		if _, still := v.all.objects[key]; still && refused[key] == nil {
			v.rep.Accept(key)
		}
	}
	clear(v.refused)
	for key, err := range refused {
		v.refused[key] = true
		v.rep.Refuse(key, err)
	}
	return nil
}

// plan returns the VIPs that belong on lo, and those that are refused because a
// node has their address. One that was in force before that node registered
// stays: a node that registers a wrong address takes no service away.
func (v *vips) plan(have map[netip.Addr]bool) (want map[netip.Addr]bool, refused map[string]error) {
	want, refused = make(map[netip.Addr]bool), make(map[string]error)
	for key, o := range v.all.objects {
		if name := v.nodes[o.Address]; name != "" {
			refused[key] = fmt.Errorf("address: %s is the address of node %s", o.Address, name)
			if !have[o.Address] {
				continue
			}
		}
		if o.Pool == v.pool {
			want[o.Address] = true
		}
	}
	return want, refused
}

// learn takes over which addresses are nodes', and judges the VIPs by them if
// there are any yet.
func (v *vips) learn(all map[string]node.Registration) error {
	first := v.nodes == nil
	before := v.nodes
	v.nodes = make(map[netip.Addr]string, 2*len(all))
	for _, key := range slices.Sorted(maps.Keys(all)) {
		r := all[key]
		for _, a := range []netip.Addr{r.Underlay, r.Member} {
			if a.IsValid() && v.nodes[a] == "" {
				v.nodes[a] = r.Name
			}
		}
	}
	if first || maps.Equal(before, v.nodes) {
		return nil // a batch that waited for the first is taken up by the agent
	}
	err := v.audit()
	if err != nil {
		v.nodes = before // the next attempt has something to learn again
	}
	return err
}
