package gateway

import (
	"context"
	"fmt"
	"net"

	"github.com/unilb/unilb/impl/certs"
	"github.com/unilb/unilb/impl/engine/loop"
	"github.com/unilb/unilb/impl/engine/std"
	"github.com/unilb/unilb/impl/exchange"
	"github.com/unilb/unilb/impl/proxy"
)

// The engines.
const (
	// EngineStd serves with the library's HTTP server: the reference.
	EngineStd = "std"
	// EngineLoop serves with event loops of our own, for a fraction of the cost.
	EngineLoop = "loop"
)

// engine is what serves requests.
type engine interface {
	// Listen opens an address; see shared for its options. inherited are sockets of it that
	// listen already, and belong to the listener from then on.
	Listen(address string, inherited []int) (net.Listener, error)
	// Sockets returns duplicates of the sockets of such a listener, which are the caller's.
	Sockets(net.Listener) ([]int, error)
	// Serve accepts connections until the listener is closed, ServeTLS those with TLS.
	Serve(net.Listener) error
	ServeTLS(net.Listener) error
	Drain()
	SendAway()
	Shutdown(context.Context) error
	InFlight() int
	Numbers() numbers
}

// newEngine makes the engine that o asks for. draining is also true while the node is
// registered so: clients of an operator's drain move on as those of SIGTERM do.
func newEngine(o Options, h exchange.Handler, c *certs.Server, draining func() bool) (engine, error) {
	l := &o.Limits
	switch o.Engine {
	case "", EngineStd:
		return stdEngine{std.New(std.Options{Handler: h, HTTP2: o.HTTP2, Server: proxy.ServerName, TLS: c, Roots: o.UpstreamRoots, Log: o.Log, Draining: draining,
			HeadTimeout: l.HeadTimeout, IdleTimeout: l.IdleTimeout, BodyTimeout: l.BodyTimeout, HalfClose: l.HalfClose, MaxBody: l.MaxBody, MaxHead: l.MaxHead, MaxConns: l.MaxConns})}, nil
	case EngineLoop:
		e, err := loop.New(loop.Options{Handler: h, Poison: poison, Loops: o.Loops, HTTP2: o.HTTP2, Server: proxy.ServerName, TLS: c, Roots: o.UpstreamRoots, Log: o.Log, Draining: draining,
			HeadTimeout: l.HeadTimeout, IdleTimeout: l.IdleTimeout, BodyTimeout: l.BodyTimeout, HalfClose: l.HalfClose, MinBodyRate: l.MinBodyRate, MaxBody: l.MaxBody, MaxHead: l.MaxHead, MaxConns: l.MaxConns})
		return loopEngine{e}, err
	}
	return nil, fmt.Errorf("engine %q: want %s or %s", o.Engine, EngineStd, EngineLoop)
}

// protocols are offered in the handshake of TLS.
func (o *Options) protocols() []string {
	if o.HTTP2 {
		return []string{"h2", "http/1.1"}
	}
	return []string{"http/1.1"}
}

type loopEngine struct{ *loop.Engine }

func (e loopEngine) Listen(address string, inherited []int) (net.Listener, error) {
	return e.Engine.Listen(context.Background(), address, inherited, shared)
}

func (loopEngine) Sockets(ln net.Listener) ([]int, error) { return ln.(*loop.Listener).Sockets() }
