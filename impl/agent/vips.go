package agent

import (
	"net/netip"

	"github.com/vishvananda/netlink"

	"github.com/unilb/unilb/impl/store"
)

// vips keeps the VIPs of one pool on lo.
type vips struct {
	nl   *netlink.Handle
	pool string
	rep  reporter
	all  mirror[vip]
}

func newVIPs(nl *netlink.Handle, pool string, rep reporter) *vips {
	return &vips{nl: nl, pool: pool, rep: rep, all: mirror[vip]{parse: parseKeyed(parseVIP), mine: under(vipsPrefix)}}
}

func (v *vips) apply(b store.Batch) error {
	if s, _ := v.all.take(b, v.rep); s.empty() && !b.Reset {
		return nil
	}
	return v.audit()
}

func (v *vips) audit() error {
	want := make(map[netip.Addr]bool)
	for _, o := range v.all.objects {
		if o.Pool == v.pool {
			want[o.Address] = true
		}
	}
	return syncAddresses(v.nl, vipLabel, want)
}
