package link

import (
	"fmt"
	"net"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// A Route is a static unicast route in the main table.
type Route struct {
	Dst netip.Prefix
	Via netip.Addr // zero: Dst is on the link
	Dev string
	Src netip.Addr // preferred source; zero: the kernel's choice
}

// Route adds a route, or replaces the one for the same destination.
func (s *Stack) Route(r Route) error {
	l, err := s.byName(r.Dev)
	if err != nil {
		return err
	}
	nr := &netlink.Route{
		LinkIndex: l.Attrs().Index, Dst: ipNet(r.Dst), Table: unix.RT_TABLE_MAIN,
		Protocol: unix.RTPROT_STATIC, Scope: netlink.SCOPE_LINK,
	}
	if r.Via.IsValid() {
		nr.Gw, nr.Scope = r.Via.AsSlice(), netlink.SCOPE_UNIVERSE
	}
	if r.Src.IsValid() {
		nr.Src = r.Src.AsSlice()
	}
	if err := s.nl.RouteReplace(nr); err != nil {
		return fmt.Errorf("add route to %s via %s dev %s src %s: %w", r.Dst, r.Via, r.Dev, r.Src, err)
	}
	return nil
}

// Restore takes an interface back to what a machine has after it was switched on:
// addresses that are not in keep are removed, and the routes with them.
func (s *Stack) Restore(ifname string, keep []netip.Prefix) error {
	l, err := s.byName(ifname)
	if err != nil {
		return err
	}
	have, err := s.nl.AddrList(l, netlink.FAMILY_V4)
	if err != nil {
		return fmt.Errorf("list addresses of %s: %w", ifname, err)
	}
	wanted := map[string]bool{}
	for _, p := range keep {
		wanted[ipNet(p).String()] = true
	}
	for _, a := range have {
		if wanted[a.IPNet.String()] || a.IP.IsLoopback() {
			continue
		}
		if err := s.nl.AddrDel(l, &a); err != nil {
			return fmt.Errorf("remove address %s from %s: %w", a.IPNet, ifname, err)
		}
	}
	return nil
}

func ipNet(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
}
