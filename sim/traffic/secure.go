package traffic

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/netip"
	"syscall"
)

// Secure dials with another dialer and then speaks TLS as a client. A handshake
// that fails is a dial that fails: nothing of a request was sent. It is safe for
// concurrent use when the other dialer and Shaken are.
type Secure struct {
	Dialer Dialer
	Config *tls.Config // never changed; its ServerName is the name that is asked for
	// Shaken is called after every handshake that succeeds, before a request is
	// sent; nil: nobody wants to know.
	Shaken func(tls.ConnectionState)
}

// Handshake makes one connection. The handshake ends with ctx.
func (s Secure) Handshake(ctx context.Context, to netip.AddrPort) (*tls.Conn, error) {
	raw, err := s.Dialer.Dial(ctx, "tcp", to)
	if err != nil {
		return nil, err
	}
	c := tls.Client(raw, s.Config)
	if err := c.HandshakeContext(ctx); err != nil {
		_ = raw.Close() // what went wrong in the handshake says more
		return nil, fmt.Errorf("TLS handshake for %q: %w", s.Config.ServerName, err)
	}
	if s.Shaken != nil {
		s.Shaken(c.ConnectionState())
	}
	return c, nil
}

// Dial makes one connection, as a Dialer.
func (s Secure) Dial(ctx context.Context, _ string, to netip.AddrPort) (net.Conn, error) {
	c, err := s.Handshake(ctx, to)
	if err != nil {
		return nil, err
	}
	if raw, ok := c.NetConn().(syscall.Conn); ok {
		return secured{c, raw}, nil
	}
	return c, nil
}

// secured is a connection whose socket can be looked at: between two requests it
// is silent, so bytes on it are the server's last words.
type secured struct {
	*tls.Conn
	raw syscall.Conn
}

func (c secured) SyscallConn() (syscall.RawConn, error) { return c.raw.SyscallConn() }
