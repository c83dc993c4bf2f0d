package link

import (
	"fmt"
	"net/netip"

	"github.com/google/nftables"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/unilb/unilb/sim/netns"
)

// Kernel features that Probe knows.
const (
	FeatureVXLAN    = "vxlan"    // devices in external mode
	FeatureNexthop  = "nexthop"  // resilient nexthop groups
	FeatureNFTables = "nftables" // drops on the way out of a device
	FeatureNetem    = "netem"    // queueing discipline that delays
	FeatureTBF      = "tbf"      // queueing discipline that limits the rate
)

// Probe tries a kernel feature in a namespace of its own; nil means it works.
func Probe(feature string) error {
	ns, err := netns.New()
	if err != nil {
		return err
	}
	defer func() { _ = ns.Close() }()
	s, err := Open(ns)
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	if err := s.SetUp("lo", true); err != nil {
		return err
	}
	switch feature {
	case FeatureVXLAN:
		attrs := netlink.NewLinkAttrs()
		attrs.Name = "probe0"
		return s.nl.LinkAdd(&netlink.Vxlan{LinkAttrs: attrs, FlowBased: true, Port: 4789})
	case FeatureNexthop:
		return s.probeNexthop()
	case FeatureNFTables:
		return s.nft(func(c *nftables.Conn) error {
			t := c.AddTable(&nftables.Table{Name: table, Family: nftables.TableFamilyNetdev})
			c.AddChain(&nftables.Chain{
				Name: "probe", Table: t, Type: nftables.ChainTypeFilter, Device: "lo",
				Hooknum: nftables.ChainHookEgress, Priority: nftables.ChainPriorityFilter,
			})
			return c.Flush()
		})
	case FeatureNetem:
		lo, err := s.byName("lo")
		if err != nil {
			return err
		}
		return s.nl.QdiscAdd(netlink.NewNetem(
			netlink.QdiscAttrs{LinkIndex: lo.Attrs().Index, Parent: netlink.HANDLE_ROOT, Handle: netlink.MakeHandle(1, 0)},
			netlink.NetemQdiscAttrs{Latency: 1000}))
	case FeatureTBF:
		return s.SetRate("lo", 1_000_000)
	default:
		return fmt.Errorf("unknown kernel feature %q", feature)
	}
}

func (s *Stack) probeNexthop() error {
	attrs := netlink.NewLinkAttrs()
	attrs.Name = "probe0"
	if err := s.nl.LinkAdd(&netlink.Veth{LinkAttrs: attrs, PeerName: "probe1"}); err != nil {
		return err
	}
	for _, name := range []string{"probe0", "probe1"} {
		if err := s.SetUp(name, true); err != nil {
			return err
		}
	}
	near, via := netip.MustParsePrefix("192.0.2.0/31"), netip.MustParseAddr("192.0.2.1")
	if err := s.Address("probe0", near); err != nil {
		return err
	}
	if err := s.SetGroup(Group{ID: 2, Active: []Leg{{ID: 1, Via: via, Dev: "probe0"}}}); err != nil {
		return err
	}
	legs, err := s.GroupLegs(2)
	if err == nil && len(legs) != 1 {
		err = unix.EOPNOTSUPP
	}
	return err
}
