package link

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"strings"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/unilb/unilb/sim/netns"
)

// A Stack configures one network namespace.
type Stack struct {
	ns *netns.NS
	nl *netlink.Handle
}

// Open opens the sockets of a stack inside ns. The namespace stays the caller's;
// Close gives up the sockets only.
func Open(ns *netns.NS) (*Stack, error) {
	s := &Stack{ns: ns}
	err := ns.Do(func() (err error) {
		s.nl, err = netlink.NewHandle(unix.NETLINK_ROUTE)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("open netlink socket: %w", err)
	}
	return s, nil
}

// NS is the namespace that the stack configures.
func (s *Stack) NS() *netns.NS { return s.ns }

// Close closes the sockets. Later calls do nothing.
func (s *Stack) Close() error {
	s.nl.Close()
	return nil
}

// Prepare gives a fresh namespace the settings that every node of a lab has, and
// sets its loopback device up. Forward makes it a router.
//
// Without the two multipath settings ECMP lies in namespaces: with hash policy 1
// the kernel reuses the hash of the sender's socket, which a veth carries across
// and which is random, so that equal five-tuples take different legs and a
// retransmission changes leg. Policy 3 with fields 0x37 hashes addresses,
// protocol and ports itself. Reverse path filters are off because answers of
// load-balanced traffic return by another way than they came.
func (s *Stack) Prepare(forward bool) error {
	settings := []struct{ key, value string }{
		{"net.ipv6.conf.all.disable_ipv6", "1"},
		{"net.ipv6.conf.default.disable_ipv6", "1"},
		{"net.ipv4.conf.all.rp_filter", "0"},
		{"net.ipv4.conf.default.rp_filter", "0"},
		{"net.ipv4.fib_multipath_hash_policy", "3"},
		{"net.ipv4.fib_multipath_hash_fields", "55"},
		{"net.ipv4.ip_forward", flag(forward)},
	}
	err := s.ns.Do(func() error {
		for _, set := range settings {
			err := writeSysctl(set.key, set.value)
			if errors.Is(err, fs.ErrNotExist) && strings.HasPrefix(set.key, "net.ipv6.") {
				continue // a kernel without IPv6 has it off
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return s.SetUp("lo", true)
}

func flag(on bool) string {
	if on {
		return "1"
	}
	return "0"
}

// Sysctl writes one setting of the namespace, named with dots.
func (s *Stack) Sysctl(key, value string) error {
	return s.ns.Do(func() error { return writeSysctl(key, value) })
}

// writeSysctl runs inside: /proc/sys/net shows the namespace of the thread that
// opens a file in it.
func writeSysctl(key, value string) error {
	path := filepath.Join("/proc/sys", strings.ReplaceAll(key, ".", "/"))
	if err := os.WriteFile(path, []byte(value), 0); err != nil {
		return fmt.Errorf("set %s=%s: %w", key, value, err)
	}
	return nil
}

// Address gives an interface an address. It is no error when it has it already.
func (s *Stack) Address(ifname string, p netip.Prefix) error {
	l, err := s.byName(ifname)
	if err != nil {
		return err
	}
	if err := s.nl.AddrReplace(l, &netlink.Addr{IPNet: ipNet(p)}); err != nil {
		return fmt.Errorf("add address %s to %s: %w", p, ifname, err)
	}
	return nil
}

// SetUp sets an interface up or down. Setting it down makes the kernel forget the
// routes that use it.
func (s *Stack) SetUp(ifname string, up bool) error {
	l, err := s.byName(ifname)
	if err != nil {
		return err
	}
	set := s.nl.LinkSetDown
	if up {
		set = s.nl.LinkSetUp
	}
	if err := set(l); err != nil {
		return fmt.Errorf("set %s up=%t: %w", ifname, up, err)
	}
	return nil
}

// IsUp reports whether an interface is administratively up.
func (s *Stack) IsUp(ifname string) (bool, error) {
	l, err := s.byName(ifname)
	if err != nil {
		return false, err
	}
	return l.Attrs().RawFlags&unix.IFF_UP != 0, nil
}

func (s *Stack) byName(ifname string) (netlink.Link, error) {
	l, err := s.nl.LinkByName(ifname)
	if err != nil {
		return nil, fmt.Errorf("find interface %s: %w", ifname, err)
	}
	return l, nil
}
