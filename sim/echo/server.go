package echo

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/unilb/unilb/sim/history"
	"github.com/unilb/unilb/sim/http1"
	"github.com/unilb/unilb/topology"
)

// Limits of a Server, beside those of http1 and of a Behaviour.
const (
	MaxConns     = 20_000          // connections at once; more are closed at once
	MaxBodyBytes = 1 << 30         // request body
	idleTimeout  = 5 * time.Minute // waiting for the next request, or for the peer to read
)

// A Sink takes the evidence. *history.Recorder is one.
type Sink interface {
	Now() time.Duration
	Arrival(history.Arrival)
}

// Options say who a Server is.
type Options struct {
	Ref  topology.Ref // what the server calls itself
	VNI  uint32       // network it stands in; 0: none
	Sink Sink         // where arrivals go; nil: nowhere
	Lean bool         // leave header lines out of arrivals, for long heavy loads
	// HealthPath is what SetHealth answers; "/health" when empty. Requests for
	// it without an op id are probes: counted, not recorded.
	HealthPath string
}

// Server is one echo backend. It may serve several listeners.
type Server struct {
	o        Options
	health   atomic.Int32
	behave   atomic.Pointer[Behaviour]
	tls      atomic.Pointer[tls.Config]
	requests atomic.Uint64
	probes   atomic.Uint64
	done     chan struct{}

	mu        sync.Mutex
	closed    bool
	listeners map[net.Listener]struct{}
	conns     map[net.Conn]struct{}
	running   sync.WaitGroup
}

// New makes a server that is healthy and answers at once.
func New(o Options) *Server {
	if o.HealthPath == "" {
		o.HealthPath = "/health"
	}
	return &Server{
		o: o, done: make(chan struct{}),
		listeners: map[net.Listener]struct{}{}, conns: map[net.Conn]struct{}{},
	}
}

// Ref is what the server calls itself.
func (s *Server) Ref() topology.Ref { return s.o.Ref }

// Requests is the number of requests received, probes excluded.
func (s *Server) Requests() uint64 { return s.requests.Load() }

// Probes is the number of health probes received.
func (s *Server) Probes() uint64 { return s.probes.Load() }

// SetTLS makes the server speak TLS on connections that it accepts from now on;
// nil: no more. A handshake that fails is nobody's arrival.
func (s *Server) SetTLS(c *tls.Config) { s.tls.Store(c) }

// ErrClosed is what Serve returns after Close.
var ErrClosed = errors.New("echo server closed")

// Serve accepts connections until Close or until the listener fails. It owns
// the listener and closes it.
func (s *Server) Serve(l net.Listener) error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return errors.Join(ErrClosed, l.Close())
	}
	s.listeners[l] = struct{}{}
	s.running.Add(1)
	s.mu.Unlock()
	defer s.running.Done()
	for {
		c, err := l.Accept()
		if err != nil {
			s.mu.Lock()
			closed := s.closed
			delete(s.listeners, l)
			s.mu.Unlock()
			if closed {
				return ErrClosed
			}
			_ = l.Close() // the accept error says more
			return fmt.Errorf("accept for %s: %w", s.o.Ref, err)
		}
		s.start(c)
	}
}

func (s *Server) start(c net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || len(s.conns) >= MaxConns {
		_ = c.Close() // nothing was promised to this peer
		return
	}
	if secure := s.tls.Load(); secure != nil {
		c = tls.Server(c, secure) // its first read makes the handshake
	}
	s.conns[c] = struct{}{}
	s.running.Add(1)
	go func() {
		defer s.running.Done()
		defer func() {
			s.mu.Lock()
			delete(s.conns, c)
			s.mu.Unlock()
			_ = c.Close() // already closed by a reset or by Close
		}()
		s.serve(c)
	}()
}

// Close stops accepting, cuts all connections and waits for their goroutines.
// It may be called more than once.
func (s *Server) Close() error {
	s.mu.Lock()
	if !s.closed {
		s.closed = true
		close(s.done)
	}
	for l := range s.listeners {
		_ = l.Close() // a listener that is gone already is what we want
	}
	for c := range s.conns {
		_ = c.Close()
	}
	s.mu.Unlock()
	s.running.Wait()
	return nil
}

// CutConns closes the connections that are open now and keeps serving.
func (s *Server) CutConns() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		_ = c.Close()
	}
}

func (s *Server) serve(nc net.Conn) {
	c := &conn{
		Conn: nc, r: http1.Reader{Reader: bufio.NewReaderSize(nc, readBufferBytes)},
		from: nc.RemoteAddr().String(), local: nc.LocalAddr().String(),
	}
	for {
		if err := c.SetDeadline(time.Now().Add(idleTimeout)); err != nil {
			return
		}
		q, err := readRequest(&c.r)
		if err != nil {
			return // closed, or not HTTP: there is no request to record
		}
		if !s.exchange(c, &q) {
			return
		}
		c.release()
	}
}
