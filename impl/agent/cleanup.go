package agent

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/vishvananda/netlink"

	"github.com/unilb/unilb/impl/fnat"
)

// Cleanup removes what an agent with these options made: programs, entries,
// devices, and labelled addresses. It needs no etcd. Traffic by this node ends.
func Cleanup(o Options) error {
	if err := o.Validate(); err != nil {
		return err
	}
	nl, err := netlink.NewHandle()
	if err != nil {
		return fmt.Errorf("open netlink socket: %w", err)
	}
	defer nl.Close()
	var errs []error
	devices := []tunnelDevice{l4Tunnel}
	switch o.Role {
	case Gateway:
		devices = append(devices, fnatTunnel)
	case Host:
		devices = []tunnelDevice{vswitchTunnel}
	}
	for _, d := range devices {
		// The device goes first: a device without its program would hand
		// packets of strangers to the node.
		errs = append(errs, d.remove(nl), fnat.RemovePins(o.PinDir, d.name))
	}
	if o.Role == Host {
		errs = append(errs, fnat.RemoveGuestPins(o.PinDir))
	} else {
		none := map[netip.Addr]bool{}
		errs = append(errs, syncAddresses(nl, vipLabel, none), syncAddresses(nl, memberLabel, none))
	}
	return errors.Join(errs...)
}
