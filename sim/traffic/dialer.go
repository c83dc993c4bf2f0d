package traffic

import (
	"context"
	"net"
	"net/netip"

	"github.com/unilb/unilb/topology"
)

// A Dialer makes connections from the place where a client stands. The nodes
// of a lab are dialers.
type Dialer interface {
	Dial(ctx context.Context, network string, to netip.AddrPort) (net.Conn, error)
}

// A Client is a place with a name.
type Client struct {
	Ref    topology.Ref
	Dialer Dialer
}

// Here dials from the process's own network. The zero value works.
type Here struct{ net.Dialer }

// Dial connects to an address without any lab.
func (h Here) Dial(ctx context.Context, network string, to netip.AddrPort) (net.Conn, error) {
	return h.DialContext(ctx, network, to.String())
}
