package agent

import (
	"errors"
	"fmt"
	"net"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Labels mark the addresses on lo that are ours; no other is ever removed. A
// label begins with the device's name and has at most 15 bytes.
const (
	vipLabel    = "lo:unilb-vip"
	memberLabel = "lo:unilb-member"
)

// labelledAddresses are the /32 addresses on lo that carry a label.
type labelledAddresses struct {
	nl    *netlink.Handle
	label string
}

func (l labelledAddresses) sync(want map[netip.Addr]bool) error {
	return syncAddresses(l.nl, l.label, want)
}

func (l labelledAddresses) labelled() (map[netip.Addr]bool, error) {
	lo, err := l.nl.LinkByName("lo")
	if err != nil {
		return nil, fmt.Errorf("find lo: %w", err)
	}
	all, err := l.nl.AddrList(lo, netlink.FAMILY_V4)
	if err != nil {
		return nil, fmt.Errorf("list addresses of lo: %w", err)
	}
	have := make(map[netip.Addr]bool)
	for _, a := range all {
		if addr, ok := netip.AddrFromSlice(a.IP); ok && a.Label == l.label {
			have[addr.Unmap()] = true
		}
	}
	return have, nil
}

// syncAddresses makes the /32 addresses on lo that carry a label exactly those
// of want. An address that is there already without our label is somebody
// else's: it is as good, and stays when it is no longer wanted.
//
// The scope is host: the kernel never chooses such an address as a source by
// itself, so a VIP is only ever answered from, not spoken from.
func syncAddresses(nl *netlink.Handle, label string, want map[netip.Addr]bool) error {
	lo, err := nl.LinkByName("lo")
	if err != nil {
		return fmt.Errorf("find lo: %w", err)
	}
	have, err := nl.AddrList(lo, netlink.FAMILY_V4)
	if err != nil {
		return fmt.Errorf("list addresses of lo: %w", err)
	}
	there := make(map[netip.Addr]bool)
	for i := range have {
		a, ok := netip.AddrFromSlice(have[i].IP)
		if ones, _ := have[i].Mask.Size(); !ok || ones != 32 {
			continue
		}
		a = a.Unmap()
		if have[i].Label == label && !want[a] {
			if err := nl.AddrDel(lo, &have[i]); err != nil && !errors.Is(err, unix.EADDRNOTAVAIL) {
				return fmt.Errorf("remove %s from lo: %w", a, err)
			}
			continue
		}
		there[a] = true
	}
	for a := range want {
		if there[a] {
			continue
		}
		err := nl.AddrAdd(lo, &netlink.Addr{
			IPNet: &net.IPNet{IP: a.AsSlice(), Mask: net.CIDRMask(32, 32)},
			Label: label, Scope: int(netlink.SCOPE_HOST),
		})
		if err != nil && !errors.Is(err, unix.EEXIST) {
			return fmt.Errorf("add %s to lo: %w", a, err)
		}
	}
	return nil
}
