package node

import (
	"net"
	"net/netip"
)

// StatusURL is where others find a status listener that was told to listen at an
// address: there, or at the underlay address when it listens at all of the node, or at
// loopback when the node has none. The error says what is wrong with the address.
func StatusURL(listen string, underlay netip.Addr) (string, error) {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return "", err
	}
	if a, err := netip.ParseAddr(host); host == "" || err == nil && a.IsUnspecified() {
		host = "127.0.0.1"
		if underlay.IsValid() {
			host = underlay.String()
		}
	}
	return "http://" + net.JoinHostPort(host, port), nil
}
