package proc

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/unilb/unilb/sim/netns"
)

// Dial connects with a socket made in ns. The address must be literal: a name
// would be looked up on another thread, outside.
func Dial(ctx context.Context, ns *netns.NS, network string, to netip.AddrPort) (net.Conn, error) {
	return DialFrom(ctx, ns, network, 0, to)
}

// DialFrom is Dial from a TCP port, which may have been used a moment ago; 0: any.
func DialFrom(ctx context.Context, ns *netns.NS, network string, port uint16, to netip.AddrPort) (net.Conn, error) {
	if !to.IsValid() {
		return nil, fmt.Errorf("dial %s: no address", network)
	}
	var d net.Dialer
	if port != 0 {
		d.LocalAddr = &net.TCPAddr{Port: int(port)}
		d.Control = reuse
	}
	var conn net.Conn
	err := ns.Do(func() (err error) {
		conn, err = d.DialContext(ctx, network, to.String())
		return err
	})
	if err != nil {
		return nil, err
	}
	return conn, nil
}

// reuse allows a port of which the kernel still remembers a connection.
func reuse(_, _ string, c syscall.RawConn) error {
	var failed error
	err := c.Control(func(fd uintptr) { failed = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEADDR, 1) })
	return errors.Join(err, failed)
}

// place dials from a namespace.
type place struct{ ns *netns.NS }

// Dial implements traffic.Dialer.
func (p place) Dial(ctx context.Context, network string, to netip.AddrPort) (net.Conn, error) {
	return Dial(ctx, p.ns, network, to)
}
