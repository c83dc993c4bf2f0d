package labenv

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"

	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/check"
	"github.com/unilb/unilb/sim/echo"
	"github.com/unilb/unilb/sim/history"
	"github.com/unilb/unilb/sim/lab"
	"github.com/unilb/unilb/sim/sandbox"
	"github.com/unilb/unilb/sim/traffic"
	"github.com/unilb/unilb/topology"
)

// Ports for the backends of cases: above what plans use, below what kernels
// give to clients.
const (
	lowestPort  = 20_000
	highestPort = 29_999
)

// idcNetwork is the name of the data-centre network in spec.Want.
const idcNetwork = "idc"

// Env is a lab in which cases run.
type Env struct {
	lab   *lab.Lab
	plan  *topology.Plan
	fleet *fleet
	has   map[spec.Capability]bool
	// static holds the objects of a gateway without an Admin API; nil: it has one.
	static *objects

	mu   sync.Mutex
	port uint16
	mark int // markers written so far
	late int // waits in a row for something that did not come into force
}

var _ spec.Env = (*Env)(nil)

func newEnv(l *lab.Lab, f *fleet) *Env {
	e := &Env{lab: l, plan: l.Plan(), fleet: f, port: lowestPort, has: map[spec.Capability]bool{}}
	if f.manifest.Static() {
		e.static = newObjects(e)
	}
	e.has[spec.NetNS], e.has[spec.Faults], e.has[spec.Control] = true, true, true
	e.has[spec.TLS] = f.manifest.ListenTLS
	e.has[spec.Proxy] = len(e.Proxies()) > 0
	e.has[spec.EBPF] = sandbox.Probe(sandbox.CapEBPF) == nil
	e.has[spec.Region] = e.API().URL != "" && len(e.EIPs()) > 0
	networks := 0
	for _, x := range e.EIPs() {
		if x.Network != idcNetwork {
			networks++
		}
	}
	e.has[spec.VPC] = e.has[spec.Region] && networks >= 2
	return e
}

// Close ends what the environment itself runs. The lab stays.
func (e *Env) Close() error {
	if e.static == nil {
		return nil
	}
	return e.static.close()
}

// Has says what the lab and the machine offer.
func (e *Env) Has(c spec.Capability) bool { return e.has[c] }

// Recorder has the evidence of the run.
func (e *Env) Recorder() *history.Recorder { return e.lab.Recorder() }

// Gateways are the nodes that run the gateway under test.
func (e *Env) Gateways() []spec.Gateway {
	var out []spec.Gateway
	for _, n := range e.plan.OfKind(topology.KindL7) {
		gw := spec.Gateway{Ref: n.Ref, Data: netip.AddrPortFrom(n.Underlay, lab.HTTPPort)}
		if e.fleet.manifest.ListenTLS {
			gw.TLS = netip.AddrPortFrom(n.Underlay, lab.HTTPSPort)
		}
		if p := e.fleet.process(n.Ref); p != nil && p.ControlURL != "" {
			gw.Control = spec.Endpoint{URL: p.ControlURL, From: e.client(n.Ref)}
		}
		if p := e.fleet.process(n.Ref); p != nil && p.StatusURL != "" {
			gw.Status = spec.Endpoint{URL: p.StatusURL, From: e.client(n.Ref)}
		}
		out = append(out, gw)
	}
	return out
}

// Clients are the client nodes.
func (e *Env) Clients() []traffic.Client {
	var out []traffic.Client
	for _, n := range e.plan.OfKind(topology.KindClient) {
		out = append(out, e.client(n.Ref))
	}
	return out
}

func (e *Env) client(ref topology.Ref) traffic.Client {
	n, err := e.lab.Node(ref)
	if err != nil {
		return traffic.Client{Ref: ref, Dialer: nobody{err}}
	}
	return traffic.Client{Ref: ref, Dialer: n}
}

// Admin is the Admin API, called from where lbc-api stands, or from a gateway
// where there is none. In dialect static it is the testbed's own.
func (e *Env) Admin() spec.Endpoint {
	if e.static != nil {
		return e.static.server.Endpoint()
	}
	gateways := e.plan.OfKind(topology.KindL7)
	callers := append(e.plan.OfKind(topology.KindAPI), gateways...)
	if len(gateways) == 0 {
		return spec.Endpoint{}
	}
	p := e.fleet.process(gateways[0].Ref)
	if p == nil {
		return spec.Endpoint{}
	}
	return spec.Endpoint{URL: p.AdminURL, Key: p.AdminKey, ViewerKey: p.ViewerKey, From: e.client(callers[0].Ref)}
}

// EIPs are the public addresses, each with the network it is meant for: its own
// name says which, "shop-eip".
func (e *Env) EIPs() []spec.EIP {
	var out []spec.EIP
	for _, v := range e.plan.VIPs {
		if v.Kind != "eip" {
			continue
		}
		x := spec.EIP{Name: v.Name, Address: v.Address, Network: idcNetwork}
		for _, vpc := range e.plan.VPCs {
			if v.Path == "vpc" && vpc.Name == strings.TrimSuffix(v.Name, "-eip") {
				x.Network = vpc.Name
			}
		}
		out = append(out, x)
	}
	return out
}

// Facts are what checks must know about the lab.
func (e *Env) Facts() check.Facts {
	f := check.FactsOf(e.plan)
	for _, x := range e.EIPs() {
		n := check.Network{Name: x.Network, Addrs: []netip.Addr{x.Address}}
		for _, v := range e.plan.VPCs {
			if v.Name == x.Network {
				n.VNI = v.VNI
			}
		}
		f.Networks = append(f.Networks, n)
	}
	return f
}

// Start runs echo backends on the nodes of a network, on ports that nobody else
// uses. The caller closes them.
func (e *Env) Start(_ context.Context, w spec.Want) ([]spec.Backend, error) {
	nodes := e.backendNodes(w.Network)
	if len(nodes) == 0 {
		return nil, fmt.Errorf("no nodes in network %q", w.Network)
	}
	if w.Port != 0 && w.N > len(nodes) {
		return nil, fmt.Errorf("%d backends on port %d: network %q has %d nodes", w.N, w.Port, w.Network, len(nodes))
	}
	var out []spec.Backend
	for i := range w.N {
		port := w.Port
		if port == 0 {
			port = e.nextPort()
		}
		b, err := e.backend(nodes[i%len(nodes)], port, i >= len(nodes))
		if err != nil {
			return out, err
		}
		out = append(out, b)
	}
	return out, nil
}

// backendNodes are the nodes of a network on which backends live.
func (e *Env) backendNodes(network string) []*topology.Node {
	var nodes []*topology.Node
	for i := range e.plan.Nodes {
		n := &e.plan.Nodes[i]
		if n.Kind == topology.KindIDC && (network == "" || network == idcNetwork) || n.Guest != nil && n.Guest.VPC == network {
			nodes = append(nodes, n)
		}
	}
	return nodes
}

func backendOf(n *topology.Node, port uint16) spec.Backend {
	b := spec.Backend{Ref: n.Ref, Addr: netip.AddrPortFrom(n.Address(), port)}
	if n.Guest != nil {
		b.VNI, b.Host = n.Guest.VNI, n.Guest.Host
	}
	return b
}

func (e *Env) backend(n *topology.Node, port uint16, another bool) (spec.Backend, error) {
	node, err := e.lab.Node(n.Ref)
	if err != nil {
		return spec.Backend{}, err
	}
	l, err := node.Listen("tcp4", netip.AddrPortFrom(netip.IPv4Unspecified(), port))
	if err != nil {
		return spec.Backend{}, fmt.Errorf("backend on %s: %w", n.Ref, err)
	}
	b := backendOf(n, port)
	if another { // one node, several backends: each needs a name of its own
		b.Ref = topology.Ref(fmt.Sprintf("%s-p%d", n.Ref, port))
	}
	b.Server = echo.New(echo.Options{Ref: b.Ref, VNI: b.VNI, Sink: e.Recorder()})
	go func() { _ = b.Server.Serve(l) }() // ends with Close; a lost listener shows as refused connections
	return b, nil
}

// Closed is an address in the data centre where nobody listens.
func (e *Env) Closed(context.Context) (netip.AddrPort, error) {
	servers := e.plan.OfKind(topology.KindIDC)
	if len(servers) == 0 {
		return netip.AddrPort{}, errors.New("no servers in the data centre")
	}
	return netip.AddrPortFrom(servers[0].Address(), e.nextPort()), nil
}

func (e *Env) nextPort() uint16 {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.port++; e.port > highestPort {
		e.port = lowestPort
	}
	return e.port
}

// portsFrom says where the next ports begin.
func (e *Env) portsFrom(port uint16) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.port = port
}
