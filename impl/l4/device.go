package l4

import (
	"errors"
	"fmt"
	"net"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/unilb/unilb/impl/obs"
)

const (
	// Tunnel is the name of the device that carries packets to members.
	Tunnel = "l4tun0"
	// TunnelPort is the UDP port of the tunnel.
	TunnelPort = 4790
	// TunnelMTU leaves room for a client's 1500 bytes behind an inner Ethernet
	// header; the underlay then needs 1600.
	TunnelMTU = 1550
	// vxlanOverhead is what the tunnel adds to an inner packet: Ethernet, VXLAN,
	// UDP and IPv4 headers.
	vxlanOverhead = 50

	ifUp = unix.IFF_UP
)

// tunnelMAC must differ from the MAC of members' tunnel devices
// (02:00:00:00:40:00): VXLAN drops frames that come from the receiver's own MAC.
var tunnelMAC = net.HardwareAddr{2, 0, 0, 0, 0x40, 1}

// openDevices finds the uplink, makes or adopts the tunnel device and routes the
// member addresses into it.
func (d *Datapath) openDevices() error {
	if !d.o.Underlay.Is4() {
		return fmt.Errorf("underlay address %q: want IPv4", d.o.Underlay)
	}
	var err error
	if d.uplink, err = d.nl.LinkByName(d.o.Uplink); err != nil {
		return fmt.Errorf("find uplink %s: %w", d.o.Uplink, err)
	}
	if err := d.checkLocal(d.o.Underlay); err != nil {
		return err
	}
	mtu := TunnelMTU
	if up := d.uplink.Attrs().MTU; up < TunnelMTU+vxlanOverhead {
		mtu = up - vxlanOverhead
		d.log.Warn("uplink MTU is too small, larger packets will be fragmented", "uplink", d.o.Uplink, "mtu", up, "want", TunnelMTU+vxlanOverhead)
	}
	if d.tunnel, err = d.ensureTunnel(mtu); err != nil {
		return err
	}
	if err := setSysctls(d.o.Uplink); err != nil {
		return err
	}
	return d.routeMembers()
}

// checkLocal refuses an underlay address that is not ours: the kernel would drop
// every tunnelled packet without a word.
func (d *Datapath) checkLocal(want netip.Addr) error {
	addrs, err := d.nl.AddrList(nil, netlink.FAMILY_V4)
	if err != nil {
		return fmt.Errorf("list addresses: %w", err)
	}
	for _, a := range addrs {
		if ip, ok := netip.AddrFromSlice(a.IP.To4()); ok && ip == want {
			return nil
		}
	}
	return fmt.Errorf("underlay address %s is on no device of this node", want)
}

// ensureTunnel makes the tunnel device unless it is there.
func (d *Datapath) ensureTunnel(mtu int) (netlink.Link, error) {
	old, err := d.nl.LinkByName(Tunnel)
	var missing netlink.LinkNotFoundError
	switch {
	case errors.As(err, &missing):
		attrs := netlink.NewLinkAttrs()
		attrs.Name, attrs.MTU, attrs.HardwareAddr = Tunnel, mtu, tunnelMAC
		if err := d.nl.LinkAdd(&netlink.Vxlan{LinkAttrs: attrs, FlowBased: true, Port: TunnelPort}); err != nil {
			return nil, fmt.Errorf("make %s: %w", Tunnel, err)
		}
	case err != nil:
		return nil, fmt.Errorf("find %s: %w", Tunnel, err)
	default:
		v, ok := old.(*netlink.Vxlan)
		if !ok || !v.FlowBased || v.Port != TunnelPort {
			return nil, fmt.Errorf("device %s exists and is no external vxlan device on UDP %d: remove it", Tunnel, TunnelPort)
		}
		d.log.Info("tunnel device adopted", "device", Tunnel)
	}
	l, err := d.nl.LinkByName(Tunnel)
	if err != nil {
		return nil, fmt.Errorf("find %s: %w", Tunnel, err)
	}
	for _, set := range []func() error{
		func() error { return d.nl.LinkSetMTU(l, mtu) },
		func() error { return d.nl.LinkSetHardwareAddr(l, tunnelMAC) },
		func() error { return d.nl.LinkSetARPOff(l) },
		func() error { return disableIPv6(Tunnel) },
		func() error { return d.nl.LinkSetUp(l) },
	} {
		if err := set(); err != nil {
			return nil, fmt.Errorf("configure %s: %w", Tunnel, err)
		}
	}
	l.Attrs().MTU = mtu
	return l, nil
}

// routeMembers sends our probes, and nothing else, into the tunnel.
func (d *Datapath) routeMembers() error {
	dst := &net.IPNet{IP: MemberRange.Addr().AsSlice(), Mask: net.CIDRMask(MemberRange.Bits(), 32)}
	err := d.nl.RouteReplace(&netlink.Route{
		LinkIndex: d.tunnel.Attrs().Index, Dst: dst, Src: d.o.Underlay.AsSlice(), Scope: netlink.SCOPE_LINK,
	})
	if err != nil {
		return fmt.Errorf("route %s to %s: %w", MemberRange, Tunnel, err)
	}
	d.log.Debug("members routed", obs.Prefix, MemberRange.String(), "device", Tunnel)
	return nil
}
