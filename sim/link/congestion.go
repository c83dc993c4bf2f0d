package link

import (
	"fmt"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// LoopbackCongestion lets TCP between addresses of this namespace use one algorithm
// of congestion control, on both sides, whatever the machine's default is. It is a
// property of the routes to those addresses, set on the ones that exist now: the
// setting of a namespace can only name what the machine allows to everybody.
func (s *Stack) LoopbackCongestion(algorithm string) error {
	lo, err := s.byName("lo")
	if err != nil {
		return err
	}
	routes, err := s.nl.RouteListFiltered(netlink.FAMILY_V4,
		&netlink.Route{Table: unix.RT_TABLE_LOCAL, Type: unix.RTN_LOCAL, LinkIndex: lo.Attrs().Index},
		netlink.RT_FILTER_TABLE|netlink.RT_FILTER_TYPE|netlink.RT_FILTER_OIF)
	if err != nil {
		return fmt.Errorf("list routes of lo: %w", err)
	}
	if len(routes) == 0 {
		return fmt.Errorf("set congestion control of lo: it has no address")
	}
	for _, r := range routes {
		r.Congctl = algorithm
		if err := s.nl.RouteReplace(&r); err != nil {
			return fmt.Errorf("set congestion control of %s to %s: %w", r.Dst, algorithm, err)
		}
	}
	return nil
}
