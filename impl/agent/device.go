package agent

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/unilb/unilb/impl/fnat"
)

// A tunnelDevice is what an external-mode vxlan device must be: which tunnel a
// packet takes is decided by programs, packet by packet.
type tunnelDevice struct {
	name  string
	port  int              // UDP
	mac   net.HardwareAddr // nil: the kernel's choice
	noARP bool
}

// The devices of the roles. Two external-mode devices cannot share a UDP port.
var (
	fnatTunnel    = tunnelDevice{name: fnatDevice, port: fnatPort, noARP: true}
	vswitchTunnel = tunnelDevice{name: vswitchName, port: fnatPort}
	l4Tunnel      = tunnelDevice{name: l4Device, port: l4Port, mac: l4MAC}
)

// ensure makes the device, or adopts it when it is there, and gives it its MTU,
// MAC and flags. A new device is left down, so that its programs can be in
// place before the first packet. A device of the same name that is something
// else is refused: it is not ours to change.
func (d tunnelDevice) ensure(nl *netlink.Handle) (fnat.Interface, error) {
	l, err := nl.LinkByName(d.name)
	if errors.As(err, &netlink.LinkNotFoundError{}) {
		attrs := netlink.NewLinkAttrs()
		attrs.Name, attrs.MTU, attrs.HardwareAddr = d.name, tunnelMTU, d.mac
		if err := nl.LinkAdd(&netlink.Vxlan{LinkAttrs: attrs, FlowBased: true, Port: d.port}); err != nil {
			return fnat.Interface{}, fmt.Errorf("make %s (UDP %d): %w", d.name, d.port, err)
		}
		l, err = nl.LinkByName(d.name)
	}
	if err != nil {
		return fnat.Interface{}, fmt.Errorf("find %s: %w", d.name, err)
	}
	if !d.is(l) {
		return fnat.Interface{}, fmt.Errorf("%s exists, but is no external-mode vxlan device on UDP %d: rename or delete it", d.name, d.port)
	}
	attrs := l.Attrs()
	if attrs.MTU != tunnelMTU {
		err = nl.LinkSetMTU(l, tunnelMTU)
	}
	if err == nil && d.mac != nil && !bytes.Equal(attrs.HardwareAddr, d.mac) {
		err = nl.LinkSetHardwareAddr(l, d.mac)
	}
	if err == nil && d.noARP && attrs.RawFlags&unix.IFF_NOARP == 0 {
		err = nl.LinkSetARPOff(l)
	}
	if err != nil {
		return fnat.Interface{}, fmt.Errorf("configure %s: %w", d.name, err)
	}
	return fnat.Interface{Name: d.name, Index: attrs.Index}, nil
}

// is reports whether a device is this one.
func (d tunnelDevice) is(l netlink.Link) bool {
	v, ok := l.(*netlink.Vxlan)
	return ok && v.FlowBased && v.Port == d.port
}

// raise sets the device up.
func (d tunnelDevice) raise(nl *netlink.Handle) error {
	l, err := nl.LinkByName(d.name)
	if err == nil {
		err = nl.LinkSetUp(l)
	}
	if err != nil {
		return fmt.Errorf("set %s up: %w", d.name, err)
	}
	return nil
}

// remove deletes the device if it is ours. An absent one is fine.
func (d tunnelDevice) remove(nl *netlink.Handle) error {
	l, err := nl.LinkByName(d.name)
	if errors.As(err, &netlink.LinkNotFoundError{}) {
		return nil
	}
	if err == nil && d.is(l) {
		err = nl.LinkDel(l)
	}
	if err != nil {
		return fmt.Errorf("delete %s: %w", d.name, err)
	}
	return nil
}

// checkUplink makes sure that a full packet fits through a tunnel over the
// uplink: else the kernel would fragment the outer packet in silence, at ten
// times the CPU per byte.
func checkUplink(nl *netlink.Handle, name string) error {
	l, err := nl.LinkByName(name)
	if err != nil {
		return fmt.Errorf("find uplink %s: %w", name, err)
	}
	if mtu := l.Attrs().MTU; mtu < tunnelMTU+tunnelHeader {
		return fmt.Errorf("uplink %s has MTU %d: the tunnels need %d", name, mtu, tunnelMTU+tunnelHeader)
	}
	return nil
}

// routeUnique leads unique IPs into the FNAT device. The source is the member
// address: it is the one that no VPC can own.
func routeUnique(nl *netlink.Handle, on fnat.Interface, member netip.Addr) error {
	dst := &net.IPNet{IP: uniquePrefix.Addr().AsSlice(), Mask: net.CIDRMask(uniquePrefix.Bits(), 32)}
	err := nl.RouteReplace(&netlink.Route{
		LinkIndex: on.Index, Dst: dst, Src: member.AsSlice(), Scope: netlink.SCOPE_LINK,
	})
	if err != nil {
		return fmt.Errorf("route %s to %s: %w", uniquePrefix, on.Name, err)
	}
	return nil
}

// relaxReversePath lets packets of clients in by a device that is not the way
// back to them: L4 sends them by the tunnel, answers leave by the uplink. The
// kernel takes the larger of the setting for all devices and for one; where all
// are strict (1), loose (2) is what still works.
func relaxReversePath(device string) error {
	const dir = "/proc/sys/net/ipv4/conf/"
	all, err := os.ReadFile(dir + "all/rp_filter")
	if err != nil {
		return fmt.Errorf("read reverse path filter: %w", err)
	}
	want := "0"
	if strings.TrimSpace(string(all)) == "1" {
		want = "2"
	}
	path := dir + device + "/rp_filter"
	now, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read reverse path filter: %w", err)
	}
	if strings.TrimSpace(string(now)) == want {
		return nil
	}
	if err := os.WriteFile(path, []byte(want), 0); err != nil {
		return fmt.Errorf("set reverse path filter of %s: %w", device, err)
	}
	return nil
}
