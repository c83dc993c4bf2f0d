package gateway

import (
	"context"
	"crypto/x509"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/unilb/unilb/impl/apisix"
	"github.com/unilb/unilb/impl/certs"
	"github.com/unilb/unilb/impl/certs/staple"
	"github.com/unilb/unilb/impl/handover"
	"github.com/unilb/unilb/impl/health"
	"github.com/unilb/unilb/impl/node"
	"github.com/unilb/unilb/impl/obs"
	"github.com/unilb/unilb/impl/obs/linelog"
	"github.com/unilb/unilb/impl/obs/meter"
	"github.com/unilb/unilb/impl/proxy"
	"github.com/unilb/unilb/impl/route"
	"github.com/unilb/unilb/impl/secret"
	"github.com/unilb/unilb/impl/store"
)

// ListenersPrefix is where listener objects live in etcd.
const ListenersPrefix = "/unilb/listeners"

// Options of a gateway.
type Options struct {
	// Registration of the node; Watches is filled in by Run.
	Registration node.Registration
	Store        *store.Store
	// Prefix of the APISIX layout, without a slash at the end.
	Prefix string
	// Listen are addresses to serve besides those of listener objects, ListenTLS
	// those to serve with TLS.
	Listen, ListenTLS []string
	// Router is how hosts and paths of routes are understood, Paths how those of requests
	// are seen before.
	Router route.Router
	Paths  proxy.Paths
	// Peers are proxies before the gateway that are believed.
	Peers proxy.Peers
	// FallbackSNI is the name that is served to clients which ask for none by TLS;
	// empty: they get no handshake.
	FallbackSNI string
	// TicketSecret is what all gateways of a cluster seal session tickets with, 32
	// bytes or more; empty: one that is made up, so that sessions are resumed with
	// this process only.
	TicketSecret []byte
	tickets      ticketClock // zero: the system's
	// OCSPStapling staples all certificates that name a responder; false: those alone
	// that demand it.
	OCSPStapling bool
	// OCSPReach tells whether a responder may have an address; nil: staple.Elsewhere.
	OCSPReach func(netip.Addr) bool
	// UpstreamRoots are the authorities that targets are verified by; nil: the
	// system's.
	UpstreamRoots *x509.CertPool
	// Keyring opens private keys in objects; nil: none that is sealed can be used.
	Keyring *apisix.Keyring
	// SecretRoots are the authorities that managers of secrets are verified by; nil: the
	// system's.
	SecretRoots *x509.CertPool
	// SecretRefresh is how often secrets are asked for again; 0: secret.DefaultRefresh.
	SecretRefresh time.Duration
	// CompareEvery is the mean time between two comparisons with other gateways; 0:
	// node.DefaultCompareEvery.
	CompareEvery time.Duration
	// StateDir is where the last good configuration is kept, with which a process begins
	// that finds etcd away; empty: none is.
	StateDir string
	// StateEvery is how often it is written at most; 0: lastgood.DefaultEvery.
	StateEvery time.Duration
	// StatusListen is the address of the status listener.
	StatusListen string
	// ControlListen is the address of the control API, which asks nobody who he is; empty:
	// none is served.
	ControlListen string
	// DrainDelay is how long the node says that it drains before it refuses
	// connections: long enough for those who probe it to notice.
	DrainDelay time.Duration
	// DrainTimeout bounds the wait for requests in flight after that.
	DrainTimeout time.Duration
	// Engine serves requests: EngineStd or EngineLoop; "" is EngineStd.
	Engine string
	// HTTP2 serves HTTP/2 as well, agreed on in the handshake of TLS and, without TLS,
	// to clients that begin with it.
	HTTP2 bool
	// Loops is the number of event loops of EngineLoop; 0: 1.
	Loops int
	// Limits bounds what clients may do.
	Limits Limits
	// MetricSeries bounds the pairs of route and node that metrics tell apart; 0:
	// meter.DefaultMost.
	MetricSeries int
	// AccessLog opens the file that gets one JSON line for each request, at the start
	// and whenever Reopen says so; nil: none. See linelog.File.
	AccessLog func() (io.WriteCloser, error)
	// Reopen asks to open the access log anew, as after a rotation; nil: nobody does.
	Reopen <-chan os.Signal
	Log    *slog.Logger
	// Ready is called once, when configuration and listeners are in force.
	Ready func()
	// Restart asks to start Successor, which takes over from this process; nil: nobody does.
	Restart <-chan os.Signal
	// Successor is what is started then.
	Successor handover.Program
	// RestartTimeout is how long it may take to be ready; then it is given up, and this
	// process goes on. 0: a minute.
	RestartTimeout time.Duration
	// Heir is what this process has been left by the one that it takes over from; nil:
	// there is none.
	Heir *handover.Heir
}

// Gateway is a running gateway.
type Gateway struct {
	o         Options
	node      *node.Node
	health    *healthBook
	pipeline  *proxy.Pipeline
	engine    engine
	certs     *certs.Server
	staples   *staple.Stapler
	secrets   *secret.Resolver
	listeners *listeners
	config    *configurator
	last      *lastGood // nil: none is kept
	access    *accessLog
	meter     *meter.Meter
	status    *sideServer
	control   *sideServer // nil: none
	reporting reporting
	release   func()      // lets the node report; nil: it does
	serving   atomic.Bool // it was said that we do
}

func build(o Options) (*Gateway, error) {
	if len(o.TicketSecret) == 0 {
		o.TicketSecret = o.Heir.TicketSecret()
	}
	if len(o.TicketSecret) == 0 {
		o.TicketSecret = madeUpSecret()
	}
	o.tickets = o.tickets.orSystem()
	o.Registration.Watches = []string{o.Prefix, ListenersPrefix}
	g := &Gateway{o: o, node: node.New(o.Registration, o.Store, node.Options{Log: o.Log, CompareEvery: o.CompareEvery})}
	if o.Heir != nil {
		g.release = g.node.HoldReports()
	}
	g.health = newHealthBook(health.NewRegistry(health.Options{Prober: &health.NetProber{Roots: o.UpstreamRoots}, Log: o.Log}))
	lanes := max(1, o.Loops)
	g.meter = meter.New(lanes, o.MetricSeries)
	po := proxy.Options{Lanes: lanes, Seed: rand.Uint64(), Health: g.health.usable, Observe: g.health.observe, Meter: g.meter, Paths: o.Paths, Peers: o.Peers,
		Bodies: proxy.Bodies{Max: o.Limits.MatchBody, Total: o.Limits.MatchBodies}}
	if o.AccessLog != nil {
		lines, err := linelog.New(linelog.Options{Open: o.AccessLog, Lanes: lanes, Log: o.Log})
		if err != nil {
			return nil, fmt.Errorf("access log: %w", err)
		}
		g.access = newAccessLog(lines, lanes)
		po.Log = g.access.add
	}
	g.pipeline = proxy.New(po)
	g.certs = certs.NewServer(certs.Options{Fallback: o.FallbackSNI, Secret: o.TicketSecret, Protocols: o.protocols(), Now: time.Now}, o.tickets.now())
	if o.OCSPReach == nil {
		o.OCSPReach = staple.Elsewhere
	}
	g.staples = staple.New(staple.Options{All: o.OCSPStapling, Fetch: staple.OverHTTP(o.OCSPReach), Log: o.Log})
	var err error
	if g.engine, err = newEngine(o, g.pipeline, g.certs, func() bool { return g.node.State() == node.Draining }); err != nil {
		g.endLog()
		return nil, err
	}
	if e, ok := g.engine.(loopEngine); ok && g.access != nil {
		e.OnRefusal(g.access.refused)
	}
	g.listeners = newListeners(g.engine, g.node, o.Heir, o.Log)
	g.secrets = secret.New(secret.Options{Refresh: o.SecretRefresh, Roots: o.SecretRoots, Changed: func(keys []string) { g.config.secretsChanged(keys) }, Log: o.Log})
	g.config = newConfigurator(g)
	if g.last, err = newLastGood(o); err != nil {
		g.close()
		return nil, err
	}
	return g, nil
}

// Run serves until ctx ends or a successor has taken over, then drains, and returns nil; it
// returns an error when it cannot begin. hard ends a drain at once.
func Run(ctx, hard context.Context, o Options) error {
	g, err := build(o)
	if err != nil {
		return err
	}
	defer g.close()
	if g.status, err = openSide(statusSocket, o.StatusListen, o.Heir, g.statusHandler(), o.Log); err != nil {
		return err
	}
	defer g.status.close()
	if o.ControlListen != "" {
		if g.control, err = openSide(controlSocket, o.ControlListen, o.Heir, g.controlHandler(), o.Log); err != nil {
			return err
		}
		defer g.control.close()
	}
	// Configuration, reports and probes go on while requests drain.
	background, stop := context.WithCancel(hard)
	var wg sync.WaitGroup
	defer g.last.end() // begun by one of those that are waited for
	defer wg.Wait()
	defer stop()
	wg.Go(func() { g.rotateTickets(background) })
	wg.Go(func() { g.staples.Run(background) })
	wg.Go(func() { g.secrets.Run(background) })
	wg.Go(func() { g.reopenLog(background) })
	g.reporting.begin(background, g.node)
	defer g.reporting.end()
	var first sync.WaitGroup
	for _, prefix := range []string{o.Prefix, ListenersPrefix} {
		first.Add(1)
		var once sync.Once
		wg.Go(func() {
			g.follow(background, prefix, func() { once.Do(first.Done) })
		})
	}
	failed := make(chan error, 1)
	wg.Go(func() {
		first.Wait()
		g.awaitSecrets(ctx)
		if ctx.Err() != nil {
			return
		}
		if err := g.listeners.begin(o.Listen, o.ListenTLS); err != nil {
			failed <- err
			return
		}
		if g.inherit(ctx) {
			g.last.begin(background)
			g.ready()
		}
	})
	for {
		select {
		case err := <-failed:
			return err
		case <-ctx.Done():
			g.drain(hard)
			return nil
		case <-o.Restart:
			g.last.flush(background) // what it is to begin with if etcd is away
			if s := g.succeed(ctx); s != nil && g.handOver(background, s) {
				g.leave(hard, s)
				return nil
			}
		}
	}
}

func (g *Gateway) ready() {
	if !g.node.Serve() {
		return // the drain began first
	}
	g.serving.Store(true)
	if g.release != nil {
		g.release()
	}
	g.status.serve()
	g.control.serve()
	g.o.Log.Info("serving", "version", obs.Version())
	if err := obs.Ready(); err != nil {
		g.o.Log.Warn("readiness not reported", obs.Err, err)
	}
	if g.o.Ready != nil {
		g.o.Ready()
	}
}

// drain lets those who probe us notice, then refuses connections and waits for
// what was admitted.
func (g *Gateway) drain(hard context.Context) {
	g.o.Log.Info("draining", "in_flight", g.engine.InFlight())
	if g.serving.Load() { // else it is our predecessor who runs for the service manager
		_ = obs.Stopping() // informative only
	}
	g.node.SetState(node.Draining)
	g.engine.Drain()
	select {
	case <-time.After(g.o.DrainDelay): // nobody can tell us that all probes have seen it
	case <-hard.Done():
	}
	g.listeners.close()
	ctx, cancel := context.WithTimeout(hard, g.o.DrainTimeout)
	defer cancel()
	if err := g.engine.Shutdown(ctx); err != nil {
		g.o.Log.Warn("connections were cut", obs.Err, err)
	}
}

func (g *Gateway) close() {
	g.listeners.close()
	g.health.close()
	g.endLog()
}

func (g *Gateway) endLog() {
	if g.access != nil {
		g.access.close()
	}
}

// reopenLog opens the access log anew whenever somebody asks.
func (g *Gateway) reopenLog(ctx context.Context) {
	for {
		select {
		case <-g.o.Reopen:
			if g.access != nil {
				g.o.Log.Info("opening the access log anew")
				g.access.lines.Reopen()
			}
		case <-ctx.Done():
			return
		}
	}
}
