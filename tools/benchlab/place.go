package main

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/unilb/unilb/sim/link"
	"github.com/unilb/unilb/sim/netns"
	"github.com/unilb/unilb/sim/proc"
	"github.com/unilb/unilb/sim/wire"
	"github.com/unilb/unilb/topology"
)

// A place is a namespace with one address.
type place struct {
	at    netip.Prefix
	ns    *netns.NS
	stack *link.Stack
}

func newPlace(at string) (*place, error) {
	ns, err := netns.New()
	if err != nil {
		return nil, err
	}
	s, err := link.Open(ns)
	if err == nil {
		if err = s.Prepare(false); err == nil {
			return &place{at: netip.MustParsePrefix(at), ns: ns, stack: s}, nil
		}
		_ = s.Close()
	}
	return nil, errors.Join(err, ns.Close())
}

// Close gives the namespace up; the kernel frees it with the last socket.
func (p *place) Close() error { return errors.Join(p.stack.Close(), p.ns.Close()) }

// Dial connects from the place.
func (p *place) Dial(ctx context.Context, network string, to netip.AddrPort) (net.Conn, error) {
	return proc.Dial(ctx, p.ns, network, to)
}

// dialCubic connects from the place by TCP with cubic: BBR, the default here and
// there, paces without fq in bursts that say nothing.
func (p *place) dialCubic(ctx context.Context, to netip.AddrPort) (c net.Conn, err error) {
	d := net.Dialer{Control: func(_, _ string, c syscall.RawConn) error {
		var err error
		return errors.Join(c.Control(func(fd uintptr) {
			err = unix.SetsockoptString(int(fd), unix.IPPROTO_TCP, unix.TCP_CONGESTION, "cubic")
		}), err)
	}}
	err = p.ns.Do(func() (err error) {
		c, err = d.DialContext(ctx, "tcp4", to.String())
		return err
	})
	return c, err
}

func (p *place) listen(port uint16) (l net.Listener, err error) {
	err = p.ns.Do(func() error {
		l, err = net.Listen("tcp4", netip.AddrPortFrom(p.at.Addr(), port).String())
		return err
	})
	return l, err
}

func (p *place) listenUDP(port uint16) (c *net.UDPConn, err error) {
	err = p.ns.Do(func() error {
		c, err = net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(p.at.Addr(), port)))
		return err
	})
	return c, err
}

const mtu = 1600 // that of a lab's underlay

func (p *place) end() link.End {
	return link.End{Stack: p.stack, Name: "eth0", MTU: mtu, Alias: "bench"}
}

// join lays a veth between two places.
func join(a, b *place) error {
	if err := link.Veth(a.end(), b.end()); err != nil {
		return err
	}
	return address(a, b)
}

func address(a, b *place) error {
	return errors.Join(a.stack.Address("eth0", a.at), b.stack.Address("eth0", b.at))
}

// A cable is two places and what joins them.
type cable struct {
	name string        // "veth", "5ms"
	over time.Duration // one way
	a, b *place
	wire wire.Wire // nil: a veth
}

// cables are what wires are measured over; the first is the kernel's own link,
// beside which the others stand.
func cables(delays ...time.Duration) (_ []*cable, err error) {
	var out []*cable
	defer func() {
		if err != nil {
			err = errors.Join(err, closeAll(out))
		}
	}()
	veth, err := newCable("veth")
	if err != nil {
		return nil, err
	}
	out = append(out, veth)
	if err := join(veth.a, veth.b); err != nil {
		return out, err
	}
	for _, d := range delays {
		c, err := newCable(d.String())
		if err != nil {
			return out, err
		}
		out = append(out, c)
		c.over = d
		if d == 0 {
			c.name = "0ms"
		}
		i := topology.Impairment{Delay: d}
		if c.wire, err = wire.Lay(c.a.end(), c.b.end(), wire.Options{Name: c.name, AB: i, BA: i}); err != nil {
			return out, err
		}
		if err := address(c.a, c.b); err != nil {
			return out, err
		}
	}
	return out, nil
}

func newCable(name string) (*cable, error) {
	a, err := newPlace("10.0.0.0/31")
	if err != nil {
		return nil, err
	}
	b, err := newPlace("10.0.0.1/31")
	if err != nil {
		return nil, errors.Join(err, a.Close())
	}
	return &cable{name: name, a: a, b: b}, nil
}

func closeAll(cables []*cable) error {
	var errs []error
	for _, c := range cables {
		if c.wire != nil {
			errs = append(errs, c.wire.Close())
		}
		errs = append(errs, c.a.Close(), c.b.Close())
	}
	return errors.Join(errs...)
}
