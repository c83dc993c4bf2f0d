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
	err := s.ns.Do(func() error {
		err := writeSysctls("net/ipv6", []setting{{"conf/all/disable_ipv6", "1"}}) // and the default with it
		if err != nil && !errors.Is(err, fs.ErrNotExist) {                         // a kernel without IPv6 has it off
			return err
		}
		return writeSysctls("net/ipv4", []setting{
			{"conf/all/rp_filter", "0"},
			{"conf/default/rp_filter", "0"},
			{"fib_multipath_hash_policy", "3"},
			{"fib_multipath_hash_fields", "55"},
			{"ip_forward", flag(forward)},
		})
	})
	if err != nil {
		return err
	}
	// The loopback device is the first of every namespace.
	if err := s.nl.LinkSetUp(&netlink.Device{LinkAttrs: netlink.LinkAttrs{Index: 1}}); err != nil {
		return fmt.Errorf("set lo up: %w", err)
	}
	return nil
}

type setting struct{ key, value string }

// writeSysctls writes settings below one directory of /proc/sys and runs inside. The
// directory is looked up once: its name is there once for each namespace of the
// machine, and the kernel goes through them all.
func writeSysctls(dir string, settings []setting) error {
	d, err := unix.Open(filepath.Join("/proc/sys", dir), unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("open settings %s: %w", dir, err)
	}
	defer func() { _ = unix.Close(d) }()
	for _, set := range settings {
		f, err := unix.Openat(d, set.key, unix.O_WRONLY|unix.O_CLOEXEC, 0)
		if err == nil {
			_, err = unix.Write(f, []byte(set.value))
			err = errors.Join(err, unix.Close(f))
		}
		if err != nil {
			return fmt.Errorf("set %s/%s=%s: %w", dir, set.key, set.value, err)
		}
	}
	return nil
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
