package node

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"
)

// StatusHost is the address of the status listener; it is not valid when the
// URL names none.
func (r Registration) StatusHost() netip.Addr {
	a, _ := netip.ParseAddr(hostOf(r.Status)) // a name has no address of its own
	return a.Unmap()
}

// hostOf is the host of a URL, or of "host:port"; "" when there is none.
func hostOf(text string) string {
	if !strings.Contains(text, "://") {
		text = "//" + text
	}
	u, err := url.Parse(text)
	if err != nil {
		return ""
	}
	return u.Hostname()
}

// HostAddresses returns the IPv4 addresses of the hosts of URLs, which may also
// be written "host:port". Names are resolved once, now. The error is about names
// that could not be; the addresses of the others are returned with it.
func HostAddresses(ctx context.Context, urls ...string) (addresses []netip.Addr, err error) {
	for _, text := range urls {
		host := hostOf(strings.TrimSpace(text))
		if host == "" {
			continue
		}
		if a, perr := netip.ParseAddr(host); perr == nil {
			addresses = append(addresses, a.Unmap())
			continue
		}
		found, rerr := net.DefaultResolver.LookupNetIP(ctx, "ip4", host)
		if rerr != nil {
			err = fmt.Errorf("find the address of %s: %w", text, rerr)
			continue
		}
		for _, a := range found {
			addresses = append(addresses, a.Unmap())
		}
	}
	return addresses, err
}
