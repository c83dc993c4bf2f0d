package proxy

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/unilb/unilb/impl/exchange"
)

// Peers says what is believed of those who connect: proxies before the gateway know more of
// a request than it sees. The zero Peers believes nobody anything.
type Peers struct {
	// Trusted are the proxies whose X-Forwarded-* and Forwarded count
	// (apisix.trusted_addresses). When there are any, X-Forwarded-For of others is dropped;
	// when there are none, it is appended to whoever sent it.
	Trusted []netip.Prefix
	// RealIPFrom are the proxies that say in RealIPHeader who their client is
	// (nginx_config.http.real_ip_from).
	RealIPFrom []netip.Prefix
	// RealIPHeader is the name of that field; empty: X-Real-IP.
	RealIPHeader string
}

// Apply sets what a request knows of its client: Remote, Peer and Forwarded. It is called
// once, with Remote as the engine has it.
func (p *Peers) Apply(r *exchange.Request) {
	r.Peer, r.Forwarded = r.Remote, exchange.ForwardedJoined
	if len(p.Trusted) == 0 && len(p.RealIPFrom) == 0 {
		return
	}
	peer := r.Peer.Addr().Unmap().WithZone("") // prefixes have none
	if len(p.Trusted) > 0 {
		r.Forwarded = exchange.ForwardedDropped
		if within(p.Trusted, peer) {
			r.Forwarded = exchange.ForwardedBelieved
		}
	}
	if within(p.RealIPFrom, peer) {
		if client := p.client(r.Fields); client.IsValid() {
			r.Remote = client
		}
	}
}

func within(nets []netip.Prefix, a netip.Addr) bool {
	return slices.ContainsFunc(nets, func(n netip.Prefix) bool { return n.Contains(a) })
}

// client is the last address that the field names, of which the port is 0 when it is not
// said; not valid: there is none. What stands before it others have written.
func (p *Peers) client(fields exchange.Fields) netip.AddrPort {
	name, last := p.RealIPHeader, ""
	if name == "" {
		name = "X-Real-IP"
	}
	for v := range fields.Values(name) {
		last = v
	}
	last = strings.TrimRight(last, " ,")
	last = last[strings.LastIndexAny(last, " ,")+1:]
	client, err := netip.ParseAddrPort(last)
	if err != nil {
		a, _ := netip.ParseAddr(strings.Trim(last, "[]")) // no address is the zero one
		client = netip.AddrPortFrom(a, 0)
	}
	if client.Addr().Zone() != "" { // of another machine, and any text
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(client.Addr().Unmap(), client.Port())
}
