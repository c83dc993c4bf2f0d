package loop

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/unilb/unilb/impl/certs"
	"github.com/unilb/unilb/impl/engine/admit"
	"github.com/unilb/unilb/impl/exchange"
)

// Options of an Engine. Zero fields have defaults.
type Options struct {
	Handler exchange.Handler
	// Loops is the number of event loops, and of lanes; 0: 1. GOMAXPROCS should be
	// larger by two, for everything that is not a request.
	Loops int
	// MaxHead bounds the head of a request in bytes; 0: 64 KiB.
	MaxHead int
	// MaxBody bounds the body of a request in bytes; 0: no bound. A longer one is
	// answered 413.
	MaxBody int64
	// HeadTimeout bounds the time for a whole head, IdleTimeout the time between
	// requests, BodyTimeout the time between two reads from the client and between
	// two writes to it; 0: 60 s each.
	HeadTimeout, IdleTimeout, BodyTimeout time.Duration
	// HalfClose is how long a client of HTTP/1.1 that has shut down its side may wait
	// for something of its answer before it is taken for gone; 0: 2 s.
	HalfClose time.Duration
	// MinBodyRate is how many bytes a second a client must send of a request's body, and
	// take of an answer's over HTTP/2, on the whole; it may be slower for BodyTimeout.
	// 0: 240; below zero: none.
	MinBodyRate int64
	// MaxConns bounds the connections from clients on all listeners together, idle
	// and upgraded ones included; 0: 100,000. Further ones are closed at once.
	MaxConns int
	// Server is the field of that name in answers the engine makes itself; empty:
	// none.
	Server string
	// Draining tells, beside Drain, whether answers should say "Connection: close".
	// It is asked for every answer; nil: no.
	Draining func() bool
	// HTTP2 serves HTTP/2 to clients that begin with it (RFC 9113, 3.3), or have agreed
	// on it in their handshake: what TLS offers there.
	HTTP2 bool
	// TLS has the certificates of ServeTLS, which needs it.
	TLS *certs.Server
	// Roots are the authorities that targets are verified by; nil: the system's.
	Roots *x509.CertPool
	// Poison overwrites buffers and arenas that are given back, so that a view that
	// is used after its time shows. For tests; it costs.
	Poison bool
	// Slow is told of each batch that took the loop longer than slowBatch of the
	// processor's time: somebody does on it what belongs elsewhere. It is called on
	// the loop; nil: nobody looks, which costs less. For tests.
	Slow func(time.Duration)
	Log  *slog.Logger
}

// Engine serves HTTP/1.1 and HTTP/2 on any number of listeners.
type Engine struct {
	o        Options
	loops    []*loop
	running  sync.WaitGroup
	room     *admit.Room
	inflight admit.InFlight
	shaken   atomic.Int64 // handshakes with clients
	refused  refusals
	tell     func(Refusal) // nil: nobody wants to know
	draining atomic.Bool
	spliced  atomic.Int64 // bytes of bodies that the kernel moved
	zero     time.Time    // of the loops' clocks

	mu        sync.Mutex
	listening []*Listener
}

// New returns an engine whose loops run and serve nothing yet. Shutdown ends them.
func New(o Options) (*Engine, error) {
	const minute = 60 * time.Second
	o.Loops = max(1, o.Loops)
	if o.MaxHead == 0 {
		o.MaxHead = 64 << 10
	}
	for _, d := range []*time.Duration{&o.HeadTimeout, &o.IdleTimeout, &o.BodyTimeout} {
		if *d == 0 {
			*d = minute
		}
	}
	if o.HalfClose == 0 {
		o.HalfClose = 2 * time.Second
	}
	if o.MinBodyRate == 0 {
		o.MinBodyRate = 240
	}
	if o.MaxConns == 0 {
		o.MaxConns = 100_000
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	e := &Engine{o: o, zero: time.Now(), room: admit.NewRoom(o.MaxConns, o.Log)}
	for lane := range o.Loops {
		l, err := newLoop(e, lane)
		if err != nil {
			for _, l := range e.loops {
				l.close()
			}
			return nil, fmt.Errorf("make event loop: %w", err)
		}
		e.loops = append(e.loops, l)
	}
	for _, l := range e.loops {
		e.running.Go(l.run)
	}
	return e, nil
}

// Serve accepts connections of a listener of this engine until it is closed (which
// is no error) or the engine is shut down. Connections outlive their listener.
func (e *Engine) Serve(ln net.Listener) error { return e.serve(ln, false) }

// ServeTLS is Serve for connections with TLS. A handshake must be done within
// HeadTimeout.
func (e *Engine) ServeTLS(ln net.Listener) error {
	if e.o.TLS == nil {
		return errors.New("there are no certificates to serve TLS with")
	}
	return e.serve(ln, true)
}

func (e *Engine) serve(ln net.Listener, secure bool) error {
	own, ok := ln.(*Listener)
	if !ok || own.e != e {
		return errors.New("the listener is not one of this engine")
	}
	e.mu.Lock()
	e.listening = append(e.listening, own)
	e.mu.Unlock()
	err := own.serve(secure)
	if err == nil {
		<-own.closed
	}
	e.mu.Lock()
	e.listening = slices.DeleteFunc(e.listening, func(ln *Listener) bool { return ln == own })
	e.mu.Unlock()
	return err
}

var errEnd = errors.New("the loop has ended")

// ask has f carried out on the loop and waits for it.
func (l *loop) ask(f func() error) error {
	done := make(chan error, 1)
	if !l.mail.post(func() { done <- f() }) {
		return errEnd
	}
	select {
	case err := <-done:
		return err
	case <-l.gone:
		return errEnd
	}
}

// Drain makes every answer from now on say "Connection: close", so that clients with
// keep-alive connections move on by themselves. Nothing is cut and new connections
// are still accepted.
func (e *Engine) Drain() { e.draining.Store(true) }

// SendAway is Drain, and asks clients of HTTP/2 at once not to send more requests on
// their connections (GOAWAY), also those that send none for now: for who is not to come
// back to this engine, which should accept no more. Nothing is cut.
func (e *Engine) SendAway() {
	e.Drain()
	for _, l := range e.loops {
		l.mail.post(l.sendAway)
	}
}

func (l *loop) sendAway() {
	for c := range l.clients {
		if c.mux != nil && !c.closing {
			c.mux.conn.Drain()
		}
	}
}

// closing tells whether clients should move on.
func (e *Engine) closing() bool {
	return e.draining.Load() || e.o.Draining != nil && e.o.Draining()
}

// Shutdown closes idle connections and waits until every request that was admitted
// has ended, or until ctx is done; then it cuts the rest and returns the error of
// ctx. An upgraded connection counts as a request: a WebSocket that a drain cuts is a
// lost request. It closes listeners that are still open.
func (e *Engine) Shutdown(ctx context.Context) error {
	e.Drain()
	e.mu.Lock()
	for _, ln := range e.listening {
		_ = ln.Close() // it never fails
	}
	e.mu.Unlock()
	for _, l := range e.loops {
		l.mail.post(l.stop)
	}
	err := e.inflight.Wait(ctx)
	for _, l := range e.loops { // answers are still on their way
		select {
		case <-l.quiet:
		case <-ctx.Done():
			err = errors.Join(err, ctx.Err())
		}
	}
	if err != nil {
		open, _, _ := e.room.Counts() // now, before they are cut
		err = fmt.Errorf("%d requests on %d connections: %w", e.inflight.Count(), open, err)
	}
	for _, l := range e.loops {
		l.mail.post(l.end)
	}
	e.running.Wait()
	return err
}

// newcomers is how long a connection that has sent nothing may live on when the engine
// stops.
const newcomers = time.Second

// stop ends what is idle, and every connection after its request.
func (l *loop) stop() {
	l.stopping = true
	for c := range l.clients {
		switch {
		case c.mux != nil:
			c.mux.stop()
		case c.tls != nil && c.tls.shake != nil:
			l.arm(&c.sock, newcomers)
		case c.run != nil || len(c.in) > 0 || c.readable:
		case c.served > 0:
			c.finishAndClose()
		default: // it has said nothing yet, and may be about to
			l.arm(&c.sock, newcomers)
		}
	}
	l.calm()
	for _, p := range l.pools {
		p.close()
	}
}

// InFlight returns the number of requests under way.
func (e *Engine) InFlight() int { return e.inflight.Count() }

// Refused is how many requests and bodies were refused, by reason.
func (e *Engine) Refused() map[string]int64 { return e.refused.all() }

// A Refusal is a request that no handler has seen, because its head is none; or a
// connection of HTTP/2 that has ended because its client broke a rule.
type Refusal struct {
	Lane          int
	Remote, Local netip.AddrPort
	Proto         exchange.Proto
	Status        int    // of the answer; 0: none
	Reason        string // of a closed list
}

// OnRefusal has f called for each Refusal, on its loop. Call it before Serve.
func (e *Engine) OnRefusal(f func(Refusal)) { e.tell = f }

// refused counts a request that no handler will see, or the end of a connection.
func (c *client) refused(proto exchange.Proto, status int, why string) {
	e := c.l.e
	e.refused.count(why)
	if e.tell != nil {
		e.tell(Refusal{Lane: c.l.lane, Remote: c.remote, Local: c.local, Proto: proto, Status: status, Reason: why})
	}
}

// refusals counts what was refused. Refusing is rare: the counters are shared.
type refusals struct {
	mu sync.Mutex
	by map[string]int64
}

func (r *refusals) count(why string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.by == nil {
		r.by = map[string]int64{}
	}
	r.by[why]++
}

func (r *refusals) all() map[string]int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.by)
}
