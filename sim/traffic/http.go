package traffic

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"time"
)

// HTTP is an ordinary HTTP client that dials with d: for the control plane,
// whose requests are not load. It keeps no connections, so that an answer never
// depends on what was asked before, and follows no redirects. Addresses in URLs
// must be literal. A dial ends with the timeout, too: net/http would leave it to
// itself when its request has given up, and a silent peer would hold it for
// minutes.
func HTTP(d Dialer, timeout time.Duration) *http.Client {
	return &http.Client{
		Timeout:       timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DisableKeepAlives: true,
			DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
				to, err := netip.ParseAddrPort(addr)
				if err != nil {
					return nil, fmt.Errorf("dial %q: want a literal address: %w", addr, err)
				}
				ctx, cancel := context.WithTimeout(ctx, timeout)
				defer cancel()
				return d.Dial(ctx, network, to)
			},
		},
	}
}
