package spec

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/netip"

	"github.com/unilb/unilb/sim/check"
	"github.com/unilb/unilb/sim/echo"
	"github.com/unilb/unilb/sim/fault"
	"github.com/unilb/unilb/sim/history"
	"github.com/unilb/unilb/sim/traffic"
	"github.com/unilb/unilb/topology"
)

// Env is the place in which cases run: a lab, or a gateway across a plain
// network. All methods may be called from several goroutines.
type Env interface {
	Has(Capability) bool
	Gateways() []Gateway       // under test; at least one
	Clients() []traffic.Client // places on the clients' side; at least one
	Proxies() []traffic.Client // those that stand for proxies before the gateway, the first of Clients not among them; empty without the capability Proxy
	Admin() Endpoint           // Admin API in the APISIX dialect; URL up to and including /apisix/admin
	Admins() []Endpoint        // each replica of the Admin API by itself; at least one
	AdminsTLS() []Endpoint     // the same with TLS, which asks for certificates; empty without the capability Region
	API() Endpoint             // lbc-api; zero without the capability Region
	APIs() []Endpoint          // each lbc-api by itself; empty without the capability Region
	EIPs() []EIP               // empty without the capability Region
	Recorder() *history.Recorder
	Facts() check.Facts

	// Nodes are the machines of a kind; empty without the capability Region.
	Nodes(k topology.Kind) []Node

	// Start runs echo backends until the case ends.
	Start(ctx context.Context, w Want) ([]Backend, error)
	// Listen is a bare listener where backends live, for backends that a case
	// plays itself. The caller closes it; the backend has no Server.
	Listen(ctx context.Context, network string) (net.Listener, Backend, error)
	// Closed is an address where backends live and nobody listens: connecting
	// is refused.
	Closed(ctx context.Context) (netip.AddrPort, error)
	// Applied waits until every gateway has the revision in force. A revision
	// of 0 means that the Admin API did not say one. An error that is no fault of a
	// gateway is *Trouble; a configuration that a gateway does not take is *Refused.
	Applied(ctx context.Context, rev int64) error

	// Inject breaks something, with the capability Faults. The returned function
	// heals it and may be called more than once.
	Inject(ctx context.Context, f fault.Fault) (heal func(context.Context) error, err error)
	// Drain tells a gateway to finish its work and end, as its driver says, and
	// returns when it has ended, with the capability Control.
	Drain(ctx context.Context, gateway topology.Ref) error
	// Restart starts a gateway that has ended and returns when it is ready, with
	// the capability Control.
	Restart(ctx context.Context, gateway topology.Ref) error
	// Reload tells a gateway to reload, as its driver says; nothing happens where
	// it has no reload. With the capability Control.
	Reload(ctx context.Context, gateway topology.Ref) error
	// Replace has a new process of a gateway take the place of the running one, as its
	// driver says, and returns when it has, with the capability Control. The old one may
	// have work to finish.
	Replace(ctx context.Context, gateway topology.Ref) error
}

// A Trouble is what keeps the place, and not the gateway, from doing its part: a
// full disk, a port that is taken.
type Trouble struct{ Err error }

func (e *Trouble) Error() string { return e.Err.Error() }

// Unwrap is what went wrong.
func (e *Trouble) Unwrap() error { return e.Err }

// A Refused says that a gateway does not take a configuration.
type Refused struct {
	Node string
	Why  string // what the driver's template, or the gateway's check, said
}

func (e *Refused) Error() string {
	return fmt.Sprintf("%s does not take the configuration: %s", e.Node, e.Why)
}

// A Gateway is one node of the gateway under test.
type Gateway struct {
	Ref  topology.Ref
	Data netip.AddrPort // where clients may connect, plain HTTP
	TLS  netip.AddrPort // and with TLS; zero without the capability TLS
	// Control is its control API, without /v1; zero where the driver names none.
	Control Endpoint
	// Status is its status listener, as docs/wire.md says; zero where the driver names
	// none.
	Status Endpoint
}

// An Endpoint is an HTTP API and the place from which to call it.
type Endpoint struct {
	URL string
	Key string // header X-API-KEY
	// ViewerKey may only read; empty: there is none, or nobody knows it.
	ViewerKey string
	From      traffic.Client
	// TLS is how to connect where URL begins with https: who signed the certificate
	// of the API, and one of ours that it takes.
	TLS *tls.Config
}

// An EIP is a public address of the region.
type EIP struct {
	Name    string
	Address netip.Addr
	Network string // "idc", or the name of a VPC
}

// A Node is a machine of the place.
type Node struct {
	topology.Node         // as it was planned
	Sockets       Sockets // that live on it
}

// Sockets makes sockets on a machine.
type Sockets interface {
	Dial(ctx context.Context, network string, to netip.AddrPort) (net.Conn, error)
	ListenPacket(network string, at netip.AddrPort) (net.PacketConn, error)
}

// Want says which backends to start.
type Want struct {
	Network string // "idc" (also when empty), or the name of a VPC
	N       int    // on as many different nodes as the network has
	Port    uint16 // 0: a port that nobody uses
}

// A Backend is an echo backend that the case may switch.
type Backend struct {
	Ref    topology.Ref
	Addr   netip.AddrPort // as the gateway's targets name it
	VNI    uint32
	Host   topology.Ref // the hypervisor host of a guest
	Server *echo.Server
}
