package link

import (
	"errors"
	"fmt"
	"net"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// An End is one interface of a link.
type End struct {
	Stack *Stack
	Name  string           // at most 15 bytes
	MAC   net.HardwareAddr // nil: the kernel's choice
	MTU   int              // bytes
	Alias string           // the readable name of the link, at most 255 bytes
	Owner string           // alternative name by which the lab proves that the interface is its own; "" for none
	Addr  netip.Prefix     // zero: none
}

// Veth makes a pair of interfaces, each born in its own namespace, and sets both
// up. Nothing remains when it fails.
func Veth(a, b End) error {
	attrs := netlink.NewLinkAttrs()
	attrs.Name, attrs.MTU, attrs.HardwareAddr = a.Name, a.MTU, a.MAC
	attrs.Namespace = netlink.NsFd(a.Stack.ns.FD())
	veth := &netlink.Veth{
		LinkAttrs: attrs, PeerName: b.Name, PeerMTU: uint32(b.MTU), PeerHardwareAddr: b.MAC,
		PeerNamespace: netlink.NsFd(b.Stack.ns.FD()),
	}
	if err := a.Stack.nl.LinkAdd(veth); err != nil {
		return fmt.Errorf("make link %s (%s to %s): %w", a.Alias, a.Name, b.Name, err)
	}
	peer, err := b.Stack.byName(b.Name)
	if err == nil {
		err = a.dress(veth) // its number is known by now
	}
	if err == nil {
		err = b.dress(peer)
	}
	if err != nil {
		_ = a.Stack.Delete(a.Name) // takes the other end with it
	}
	return err
}

// Raise gives an existing interface the properties of the end and sets it up.
func (e End) Raise() error {
	l, err := e.Stack.byName(e.Name)
	if err != nil {
		return err
	}
	nl, now := e.Stack.nl, l.Attrs()
	if e.MTU != 0 && e.MTU != now.MTU {
		if err := nl.LinkSetMTU(l, e.MTU); err != nil {
			return fmt.Errorf("set MTU %d of %s: %w", e.MTU, e.Name, err)
		}
	}
	if e.MAC != nil && e.MAC.String() != now.HardwareAddr.String() {
		if err := nl.LinkSetHardwareAddr(l, e.MAC); err != nil {
			return fmt.Errorf("set MAC %s of %s: %w", e.MAC, e.Name, err)
		}
	}
	return e.dress(l)
}

// dress gives an interface what it cannot be born with, and sets it up.
func (e End) dress(l netlink.Link) error {
	nl := e.Stack.nl
	if e.Alias != "" {
		if err := nl.LinkSetAlias(l, e.Alias); err != nil {
			return fmt.Errorf("set alias of %s: %w", e.Name, err)
		}
	}
	if e.Owner != "" {
		if err := nl.LinkAddAltName(l, e.Owner); err != nil {
			return fmt.Errorf("add alternative name to %s: %w", e.Name, err)
		}
	}
	if e.Addr.IsValid() {
		if err := nl.AddrReplace(l, &netlink.Addr{IPNet: ipNet(e.Addr)}); err != nil {
			return fmt.Errorf("add address %s to %s: %w", e.Addr, e.Name, err)
		}
	}
	if err := nl.LinkSetUp(l); err != nil {
		return fmt.Errorf("set %s up: %w", e.Name, err)
	}
	return nil
}

// Delete removes an interface; with one end of a veth pair goes the other. It is
// no error when there is none.
func (s *Stack) Delete(ifname string) error {
	l, err := s.nl.LinkByName(ifname)
	var missing netlink.LinkNotFoundError
	if errors.As(err, &missing) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("find interface %s: %w", ifname, err)
	}
	if err := s.nl.LinkDel(l); err != nil && !errors.Is(err, unix.ENODEV) {
		return fmt.Errorf("delete interface %s: %w", ifname, err)
	}
	return nil
}

// A Device is an interface as the kernel has it.
type Device struct {
	Name string
	Kind string // "veth", "tuntap", "vxlan", "bridge"; "device" for a loopback
	MTU  int    // bytes
}

// Devices returns all interfaces.
func (s *Stack) Devices() ([]Device, error) {
	links, err := s.nl.LinkList()
	if err != nil {
		return nil, fmt.Errorf("list interfaces: %w", err)
	}
	var out []Device
	for _, l := range links {
		out = append(out, Device{Name: l.Attrs().Name, Kind: l.Type(), MTU: l.Attrs().MTU})
	}
	return out, nil
}

// Interfaces returns the names of all interfaces.
func (s *Stack) Interfaces() ([]string, error) {
	devices, err := s.Devices()
	var names []string
	for _, d := range devices {
		names = append(names, d.Name)
	}
	return names, err
}

// TxDropped is how many frames an interface has dropped on the way out, since it
// was made.
func (s *Stack) TxDropped(ifname string) (uint64, error) {
	l, err := s.byName(ifname)
	if err != nil {
		return 0, err
	}
	if st := l.Attrs().Statistics; st != nil {
		return st.TxDropped, nil
	}
	return 0, nil
}
