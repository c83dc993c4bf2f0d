package agent

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"

	"github.com/vishvananda/netlink"

	"github.com/unilb/unilb/impl/fnat"
	"github.com/unilb/unilb/impl/node"
)

// mendAttempts is how often in a row devices, routes and addresses are put right
// before the agent gives up and leaves it to its next start.
const mendAttempts = 3

// A setup is what a role consists of: devices made, programs loaded, and the
// followers that fill them.
type setup struct {
	nl        *netlink.Handle
	devices   []fnat.Interface
	restore   []func() error // puts routes and fixed addresses back
	follows   []*following
	switching *switching // hosts only
	open      []io.Closer
}

func (s *setup) close() {
	for _, c := range s.open {
		_ = c.Close() // descriptors only; the pins stay
	}
}

// owns reports whether an index is that of one of our devices.
func (s *setup) owns(index int) bool {
	for _, d := range s.devices {
		if d.Index == index {
			return true
		}
	}
	return false
}

// check returns an error when one of our devices is gone, sets those up that are
// down, and restores routes and fixed addresses. Programs went with the device: starting again makes both
// anew.
func (s *setup) check() (err error) {
	for range mendAttempts {
		if err = s.mend(); err == nil {
			return nil
		}
		// A device may go, or be set down, between any two steps, and the second
		// then fails in its own way. The next attempt sees what happened.
	}
	return err
}

// mend looks for the devices, sets them up and restores routes and fixed addresses.
func (s *setup) mend() error {
	for _, d := range s.devices {
		l, err := s.nl.LinkByName(d.Name)
		if errors.As(err, &netlink.LinkNotFoundError{}) || err == nil && l.Attrs().Index != d.Index {
			return fmt.Errorf("device %s is gone", d)
		}
		if err != nil {
			return fmt.Errorf("find device %s: %w", d, err)
		}
		if l.Attrs().Flags&net.FlagUp != 0 {
			continue
		}
		if err := s.nl.LinkSetUp(l); err != nil {
			return fmt.Errorf("set %s up: %w", d, err)
		}
	}
	for _, f := range s.restore {
		if err := f(); err != nil {
			return err
		}
	}
	return nil
}

// setup makes the role's devices, with their programs in place before the
// device is up.
func (a *Agent) setup() (*setup, error) {
	if err := checkUplink(a.nl, a.o.Uplink); err != nil {
		return nil, err
	}
	s := &setup{nl: a.nl}
	var err error
	switch a.o.Role {
	case Gateway:
		if err = a.setupTunnel(s); err == nil {
			err = a.setupGateway(s)
		}
	case Member:
		err = a.setupTunnel(s)
	case Host:
		err = a.setupHost(s)
	}
	if err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

// setupTunnel makes what every server behind L4 has: the tunnel, the member
// address, and the VIPs of its pool.
func (a *Agent) setupTunnel(s *setup) error {
	on, err := l4Tunnel.ensure(a.nl)
	if err != nil {
		return err
	}
	s.devices = append(s.devices, on)
	t, err := fnat.OpenTunnel(on, a.o.PinDir)
	if err != nil {
		return err
	}
	s.open = append(s.open, t)
	if err := relaxReversePath(l4Device); err != nil {
		return err
	}
	member := func() error {
		return syncAddresses(a.nl, memberLabel, map[netip.Addr]bool{a.o.Member: true})
	}
	if err := member(); err != nil {
		return err
	}
	s.restore = append(s.restore, member)
	onLo := newVIPs(a.nl, a.o.Pool, append([]netip.Addr{a.o.Underlay, a.o.Member}, a.o.Etcd...), a.rep)
	sources := func(all map[string]node.Registration) (fnat.Diff, error) {
		if err := onLo.learn(all); err != nil {
			return fnat.Diff{}, err
		}
		return t.PruneSources(l4Nodes(all))
	}
	s.follows = append(s.follows,
		&following{follower: newNodes(a.rep, a.log, sources, attach{f: t.Attach}), prefix: node.RegistryPrefix},
		&following{follower: onLo, prefix: l4Prefix, report: true})
	return l4Tunnel.raise(a.nl)
}

// setupGateway makes FNAT. The member address must be there for the route.
func (a *Agent) setupGateway(s *setup) error {
	on, err := fnatTunnel.ensure(a.nl)
	if err != nil {
		return err
	}
	s.devices = append(s.devices, on)
	g, err := fnat.OpenGateway(fnat.GatewayOptions{
		Interface: on, Member: a.o.Member, VTEP: a.o.Underlay, PinDir: a.o.PinDir,
	})
	if err != nil {
		return err
	}
	s.open = append(s.open, g)
	s.follows = append(s.follows, &following{
		follower: newMappings(g, a.rep, a.log, attach{f: g.Attach}), prefix: vpcPrefix, report: true,
	})
	if err := fnatTunnel.raise(a.nl); err != nil {
		return err
	}
	route := func() error { return routeUnique(a.nl, on, a.o.Member) }
	s.restore = append(s.restore, route)
	return route()
}

// setupHost makes the vswitch.
func (a *Agent) setupHost(s *setup) error {
	on, err := vswitchTunnel.ensure(a.nl)
	if err != nil {
		return err
	}
	s.devices = append(s.devices, on)
	v, err := fnat.OpenVswitch(fnat.VswitchOptions{Interface: on, VTEP: a.o.Underlay, PinDir: a.o.PinDir})
	if err != nil {
		return err
	}
	s.open = append(s.open, v)
	links := func() (map[string]netlink.Link, error) { return linksByName(a.nl) }
	s.switching = newSwitching(v, a.o.Node, links, a.rep, a.log, attach{f: v.Attach})
	gateways := func(all map[string]node.Registration) (fnat.Diff, error) { return v.PruneGateways(gatewayNodes(all)) }
	s.follows = append(s.follows,
		&following{follower: newNodes(a.rep, a.log, gateways, attach{}), prefix: node.RegistryPrefix},
		&following{follower: s.switching, prefix: vpcPrefix, report: true})
	return vswitchTunnel.raise(a.nl)
}
