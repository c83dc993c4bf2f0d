package proc

import (
	"context"
	"fmt"
	"net"
	"net/netip"

	"github.com/unilb/unilb/sim/netns"
)

// Dial connects with a socket made in ns. The address must be literal: a name
// would be looked up on another thread, outside.
func Dial(ctx context.Context, ns *netns.NS, network string, to netip.AddrPort) (net.Conn, error) {
	if !to.IsValid() {
		return nil, fmt.Errorf("dial %s: no address", network)
	}
	var conn net.Conn
	err := ns.Do(func() (err error) {
		var d net.Dialer
		conn, err = d.DialContext(ctx, network, to.String())
		return err
	})
	if err != nil {
		return nil, err
	}
	return conn, nil
}

// place dials from a namespace.
type place struct{ ns *netns.NS }

// Dial implements traffic.Dialer.
func (p place) Dial(ctx context.Context, network string, to netip.AddrPort) (net.Conn, error) {
	return Dial(ctx, p.ns, network, to)
}
