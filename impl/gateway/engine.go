package gateway

import (
	"context"
	"errors"
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
	// Listen opens an address for Serve, or for ServeTLS if secure; see shared for its
	// options.
	Listen(address string, secure bool) (net.Listener, error)
	// Serve accepts connections until the listener is closed, ServeTLS those with TLS.
	Serve(net.Listener) error
	ServeTLS(net.Listener) error
	Drain()
	Shutdown(context.Context) error
	InFlight() int
}

// newEngine makes the engine that o asks for. draining is also true while the node is
// registered so: clients of an operator's drain move on as those of SIGTERM do.
func newEngine(o Options, h exchange.Handler, c *certs.Server, draining func() bool) (engine, error) {
	library := func() *std.Engine {
		return std.New(std.Options{Handler: h, Server: proxy.ServerName, TLS: c, Roots: o.UpstreamRoots, Log: o.Log, Draining: draining})
	}
	switch o.Engine {
	case "", EngineStd:
		return stdEngine{library()}, nil
	case EngineLoop:
		e, err := loop.New(loop.Options{Handler: h, Loops: o.Loops, Server: proxy.ServerName, Roots: o.UpstreamRoots, Log: o.Log, Draining: draining})
		if err != nil {
			return nil, err
		}
		return loopEngine{e, library()}, nil
	}
	return nil, fmt.Errorf("engine %q: want %s or %s", o.Engine, EngineStd, EngineLoop)
}

type stdEngine struct{ *std.Engine }

func (stdEngine) Listen(address string, _ bool) (net.Listener, error) {
	c := net.ListenConfig{Control: shared}
	return c.Listen(context.Background(), "tcp", address)
}

// loopEngine serves connections without TLS by event loops, those with TLS by the
// library.
type loopEngine struct {
	*loop.Engine
	secure *std.Engine
}

func (e loopEngine) Listen(address string, secure bool) (net.Listener, error) {
	if secure {
		return stdEngine{e.secure}.Listen(address, true)
	}
	return e.Engine.Listen(context.Background(), address, shared)
}

func (e loopEngine) ServeTLS(ln net.Listener) error { return e.secure.ServeTLS(ln) }

func (e loopEngine) Drain() {
	e.Engine.Drain()
	e.secure.Drain()
}

// Shutdown lets both end at the same time.
func (e loopEngine) Shutdown(ctx context.Context) error {
	done := make(chan error, 1)
	go func() { done <- e.secure.Shutdown(ctx) }()
	return errors.Join(e.Engine.Shutdown(ctx), <-done)
}

func (e loopEngine) InFlight() int { return e.Engine.InFlight() + e.secure.InFlight() }
