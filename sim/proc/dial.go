package proc

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"time"

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

// HTTPClient makes a client whose connections are made in ns, one for each
// request. It follows no redirects and uses no proxy.
func HTTPClient(ns *netns.NS, timeout time.Duration) *http.Client {
	return &http.Client{
		Timeout: timeout,
		Transport: &http.Transport{
			DisableKeepAlives: true,
			DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
				to, err := netip.ParseAddrPort(addr)
				if err != nil {
					return nil, fmt.Errorf("dial %s: the address must be literal: %w", addr, err)
				}
				return Dial(ctx, ns, network, to)
			},
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}
