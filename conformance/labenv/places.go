package labenv

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/traffic"
	"github.com/unilb/unilb/topology"
)

// Admins are the l7admin nodes of the first gateway's region, each called from
// where Admin is called. A gateway that brings an Admin API of its own has one.
func (e *Env) Admins() []spec.Endpoint {
	all := e.Admin()
	gateways := e.plan.OfKind(topology.KindL7)
	if all.URL == "" || all.URL != adminURL(e.plan, gateways[0].Region) {
		return []spec.Endpoint{all}
	}
	var out []spec.Endpoint
	for _, n := range e.plan.OfKind(topology.KindAdmin) {
		if n.Region == gateways[0].Region {
			one := all
			one.URL = fmt.Sprintf("http://%s/apisix/admin", netip.AddrPortFrom(n.Underlay, topology.AdminPort))
			out = append(out, one)
		}
	}
	return out
}

// AdminsTLS are the same at their port with TLS.
func (e *Env) AdminsTLS() []spec.Endpoint {
	var out []spec.Endpoint
	for _, a := range e.Admins() {
		plain := fmt.Sprintf(":%d/", topology.AdminPort)
		if !e.Has(spec.Region) || !strings.Contains(a.URL, plain) {
			return nil // one of its own, or the testbed's
		}
		var err error
		if a.TLS, err = e.lab.AdminTLS(); err != nil {
			return nil
		}
		a.URL = strings.Replace(strings.Replace(a.URL, "http://", "https://", 1), plain, fmt.Sprintf(":%d/", topology.AdminTLSPort), 1)
		out = append(out, a)
	}
	return out
}

// proxyNodes are the clients that stand for proxies before the gateway: the last one
// where there are several.
func proxyNodes(p *topology.Plan) []*topology.Node {
	clients := p.OfKind(topology.KindClient)
	if len(clients) < 2 {
		return nil
	}
	return clients[len(clients)-1:]
}

// proxyAddresses are where they dial from.
func proxyAddresses(p *topology.Plan) []string {
	var out []string
	for _, n := range proxyNodes(p) {
		out = append(out, n.Address().String())
	}
	return out
}

// Proxies are the clients that a driver can tell a gateway to believe.
func (e *Env) Proxies() []traffic.Client {
	var out []traffic.Client
	for _, n := range proxyNodes(e.plan) {
		out = append(out, e.client(n.Ref))
	}
	return out
}

// API is the first lbc-api, called from its own node.
func (e *Env) API() spec.Endpoint {
	if all := e.APIs(); len(all) > 0 {
		return all[0]
	}
	return spec.Endpoint{}
}

// APIs are all of them, each called from its own node.
func (e *Env) APIs() []spec.Endpoint {
	var out []spec.Endpoint
	for _, n := range e.plan.OfKind(topology.KindAPI) {
		out = append(out, spec.Endpoint{
			URL: fmt.Sprintf("http://%s", netip.AddrPortFrom(n.Underlay, topology.APIPort)), Key: topology.APIKey, From: e.client(n.Ref),
		})
	}
	return out
}

// Nodes are the nodes of a kind, in the order of the plan.
func (e *Env) Nodes(k topology.Kind) []spec.Node {
	if !e.has[spec.Region] {
		return nil
	}
	var out []spec.Node
	for _, n := range e.plan.OfKind(k) {
		if at, err := e.lab.Node(n.Ref); err == nil {
			out = append(out, spec.Node{Node: *n, Sockets: at})
		}
	}
	return out
}
