package std

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net"
	"net/http"
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
	// Lanes: connections are dealt to that many lanes in turn; 0: 1.
	Lanes int
	// MaxHead bounds the head of a request in bytes; 0: 64 KiB.
	MaxHead int
	// MaxBody bounds the body of a request in bytes; 0: no bound. A longer one
	// is answered 413.
	MaxBody int64
	// HeadTimeout bounds the time for a whole head, IdleTimeout the time
	// between requests, BodyTimeout the time between two reads from the client
	// and between two writes to it; 0: 60 s each. Of HTTP/2 HeadTimeout is for the
	// preface, and the time for a head is time between requests.
	HeadTimeout, IdleTimeout, BodyTimeout time.Duration
	// HalfClose is how long a client that has shut down its side may wait for something
	// of its answer before it is taken for gone; 0: 2 s.
	HalfClose time.Duration
	// MaxConns bounds the connections from clients on all listeners together,
	// idle and upgraded ones included; 0: 100,000. Further ones are closed at
	// once. It bounds requests, too: a connection carries one at a time, or of HTTP/2
	// maxStreams.
	MaxConns int
	// Server is the field of that name in answers the engine makes itself;
	// empty: none. (What the library answers to a head it cannot read, 400 or
	// 431, has none in any case: it offers no way.)
	Server string
	// Draining tells, beside Drain, whether answers should say "Connection:
	// close". It is asked for every answer; nil: no.
	Draining func() bool
	// HTTP2 serves HTTP/2 to clients that begin with it (RFC 9113, 3.3), or have agreed
	// on it in their handshake: what TLS offers there.
	HTTP2 bool
	// TLS has the certificates of ServeTLS, which needs it.
	TLS *certs.Server
	// Roots are the authorities that targets are verified by; nil: the system's.
	Roots *x509.CertPool
	Log   *slog.Logger
}

// Engine serves HTTP/1.1 and HTTP/2 on any number of listeners.
type Engine struct {
	o        Options
	srv      *http.Server
	two      *http.Server // see speakTwo; nil: HTTP/2 is not served
	pools    *pools
	runs     sync.Pool
	lanes    atomic.Uint64
	room     *admit.Room
	draining atomic.Bool
	ended    atomic.Bool // what is still under way is cut
	inflight admit.InFlight
	numbers  numbers
}

type laneKey struct{}

// New returns an engine that serves nothing yet.
func New(o Options) *Engine {
	const minute = 60 * time.Second
	o.Lanes = max(1, o.Lanes)
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
	if o.MaxConns == 0 {
		o.MaxConns = 100_000
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	e := &Engine{o: o, pools: newPools(o.Roots), room: admit.NewRoom(o.MaxConns, o.Log)}
	e.runs.New = func() any { return newRun(e) }
	e.srv = &http.Server{
		Handler:           http.HandlerFunc(e.serve),
		ReadHeaderTimeout: o.HeadTimeout,
		IdleTimeout:       o.IdleTimeout,
		MaxHeaderBytes:    o.MaxHead,
		// "OPTIONS *" is the handler's as any other request: a target no route
		// has, answered 400.
		DisableGeneralOptionsHandler: true,
		// What net/http has to say (handshakes, panics) belongs in our log.
		ErrorLog:    log.New(logWriter{o.Log}, "", 0),
		ConnContext: e.connContext,
		ConnState:   connState,
	}
	if o.HTTP2 {
		e.speakTwo()
	}
	return e
}

func (e *Engine) connContext(ctx context.Context, c net.Conn) context.Context {
	if b, ok := c.(*boundConn); ok {
		ctx = context.WithValue(ctx, connKey{}, b)
	}
	if e.o.Lanes == 1 {
		return ctx
	}
	return context.WithValue(ctx, laneKey{}, int(e.lanes.Add(1)%uint64(e.o.Lanes)))
}

// connState: between the end of an answer and the next call of serve whatever is written
// to a client is the library's own.
func connState(c net.Conn, s http.ConnState) {
	if b, ok := c.(*boundConn); ok && s == http.StateIdle {
		b.served.Store(false)
	}
}

// Serve accepts connections until the listener is closed (which is no error)
// or the engine is shut down. Connections outlive their listener.
func (e *Engine) Serve(ln net.Listener) error { return e.accept(e.bound(ln)) }

// ServeTLS is Serve for connections with TLS. A handshake is part of the first head
// as far as HeadTimeout is concerned.
func (e *Engine) ServeTLS(ln net.Listener) error {
	l := e.bound(ln)
	l.encrypt = e.encrypt
	return e.accept(l)
}

func (e *Engine) accept(ln net.Listener) error {
	err := e.srv.Serve(ln)
	if errors.Is(err, http.ErrServerClosed) || errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// Drain makes every answer from now on say "Connection: close", and over HTTP/2 ask for
// the same (GOAWAY), so that clients with keep-alive connections move on by themselves.
// Nothing is cut and new connections are still accepted.
func (e *Engine) Drain() { e.draining.Store(true) }

// SendAway is Drain, and asks clients of HTTP/2 at once not to send more requests on
// their connections, also those that send none for now: for who is not to come back to
// this engine, which should accept no more. Nothing is cut.
func (e *Engine) SendAway() {
	e.Drain()
	e.goAway()
}

// closing tells whether clients should move on.
func (e *Engine) closing() bool {
	return e.draining.Load() || e.o.Draining != nil && e.o.Draining()
}

// Shutdown closes all listeners and idle connections and waits until every
// request that was admitted has ended, or until ctx is done; then it cuts the
// rest and returns the error of ctx. An upgraded connection counts as a
// request: a WebSocket that a drain cuts is a lost request.
func (e *Engine) Shutdown(ctx context.Context) error {
	e.Drain()
	err := e.srv.Shutdown(ctx)
	if errors.Is(err, net.ErrClosed) { // a listener that was closed already
		err = nil
	}
	if err == nil {
		err = e.inflight.Wait(ctx) // upgraded connections are unknown to the server
	}
	if err != nil {
		open, _, _ := e.room.Counts() // now, before they are cut
		err = fmt.Errorf("%d requests on %d connections: %w", e.inflight.Count(), open, err)
		e.ended.Store(true)
		_ = e.srv.Close() // the error that matters is that of ctx
	}
	e.pools.close()
	return err
}

// InFlight returns the number of requests under way.
func (e *Engine) InFlight() int { return e.inflight.Count() }

type logWriter struct{ log *slog.Logger }

// byClients begin what any client of HTTP/2 can have the library say, as often as it likes.
var byClients = []string{"http2: server ", "http2: received GOAWAY", "timeout waiting for SETTINGS"}

func (w logWriter) Write(b []byte) (int, error) {
	level := slog.LevelWarn
	for _, begin := range byClients {
		if bytes.HasPrefix(b, []byte(begin)) {
			level = slog.LevelDebug
		}
	}
	w.log.Log(context.Background(), level, "library server", "detail", string(b))
	return len(b), nil
}
