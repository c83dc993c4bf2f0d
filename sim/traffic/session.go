package traffic

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/unilb/unilb/sim/echo"
	"github.com/unilb/unilb/sim/history"
	"github.com/unilb/unilb/topology"
)

// DefaultTimeout is the longest an operation may take, dialling included.
const DefaultTimeout = 10 * time.Second

// A ConnPolicy says how connections are used. The zero value makes one for
// each request.
type ConnPolicy struct {
	Keep int // connections to keep alive and share; 0: one connection a request
}

// Options of a Session. The zero value works.
type Options struct {
	Stream   string        // name in the history; the client's Ref when empty
	Conns    ConnPolicy    //
	Timeout  time.Duration // of one operation; DefaultTimeout when 0
	KeepBody int           // bytes of a response body to hand back; 1 MiB when 0
	Headers  bool          // record header lines of requests and responses
}

// A Session sends the requests of one client to one address.
type Session struct {
	client Client
	to     netip.AddrPort
	rec    *history.Recorder
	o      Options

	run   uint64 // random: makes ids unique across sessions and processes
	ops   atomic.Uint64
	conns atomic.Uint64
	slots chan struct{} // one for each connection that may exist; nil without keep-alive

	mu     sync.Mutex
	idle   []*conn // used in turn, so that all of them stay in use
	closed bool
}

// NewSession makes a session; it dials when it has something to send.
func NewSession(c Client, to netip.AddrPort, rec *history.Recorder, o Options) *Session {
	if o.Stream == "" {
		o.Stream = string(c.Ref)
	}
	if o.Timeout == 0 {
		o.Timeout = DefaultTimeout
	}
	if o.KeepBody == 0 {
		o.KeepBody = 1 << 20
	}
	s := &Session{client: c, to: to, rec: rec, o: o, run: uint64(rand.Uint32()) << 32}
	if o.Conns.Keep > 0 {
		s.slots = make(chan struct{}, o.Conns.Keep)
	}
	return s
}

// A Result is an operation with its response; Reply is nil when there was none.
type Result struct {
	Op    history.Op
	Reply *Reply
	Err   error
}

// Backend is who answered, as the backend says; empty when none did.
func (r Result) Backend() topology.Ref {
	if r.Op.Response == nil {
		return ""
	}
	return r.Op.Response.Backend
}

// Do sends one request now and records it.
func (s *Session) Do(ctx context.Context, r Request) Result {
	return s.DoAt(ctx, r, s.rec.Now())
}

// DoAt sends one request now and records it as one that should have been sent
// at the given moment. It always returns a recorded operation.
func (s *Session) DoAt(ctx context.Context, r Request, intended time.Duration) Result {
	r = r.filled(s.to.String())
	id := fmt.Sprintf("%x", s.run|s.ops.Add(1))
	op := history.Op{
		ID: id, Stream: s.o.Stream, Client: s.client.Ref, Kind: "http", To: s.to.String(),
		Intended: intended, Sent: s.rec.Now(), Request: r.record(),
	}
	ctx, cancel := context.WithTimeout(ctx, s.o.Timeout)
	defer cancel()
	reply, via, err := s.exchange(ctx, r, id)
	op.Returned = s.rec.Now()
	op.Conn, op.Reused, op.From = via.id, via.used, via.from
	if err != nil {
		op.Outcome, op.Class = classify(err, via.id != 0)
		op.Error = err.Error()
	} else {
		op.Outcome, op.Class, op.Error = reply.outcome(id)
		op.Response = &history.Response{
			Status: reply.Status, Backend: topology.Ref(reply.Header.Get(echo.HeaderBackend)), BodyLen: reply.Length, BodySum: reply.Sum,
		}
	}
	if s.o.Headers && reply != nil {
		for name, vs := range reply.Header {
			for _, v := range vs {
				op.Response.Header = append(op.Response.Header, history.Field{Name: name, Value: v})
			}
		}
	}
	if !s.o.Headers {
		op.Request.Header = nil
	}
	s.rec.Op(op)
	return Result{Op: op, Reply: reply, Err: err}
}

// identity says which connection carried a request; the zero value says none.
type identity struct {
	id   uint64
	used int // requests it had carried before
	from string
}

// exchange sends one request over a connection that it takes and gives back.
func (s *Session) exchange(ctx context.Context, r Request, id string) (*Reply, identity, error) {
	c, err := s.take(ctx)
	if err != nil {
		return nil, identity{}, err
	}
	via := identity{c.id, c.used, c.LocalAddr().String()} // now: once given back it is somebody else's
	reply, err := c.roundTrip(ctx, r.Method, r.bytes(id, s.slots == nil), s.o.KeepBody)
	s.give(c, err == nil && !reply.Close && s.slots != nil)
	return reply, via, err
}

func (s *Session) take(ctx context.Context) (*conn, error) {
	if s.slots != nil {
		select {
		case s.slots <- struct{}{}:
		case <-ctx.Done():
			return nil, fmt.Errorf("wait for a connection: %w", ctx.Err())
		}
		for c := s.pop(); c != nil; c = s.pop() {
			if !c.stale() {
				return c, nil
			}
			_ = c.Close() // the server ended it while it was idle
		}
	}
	c, err := dial(ctx, s.client.Dialer, s.to, s.run|s.conns.Add(1))
	if err != nil && s.slots != nil {
		<-s.slots
	}
	return c, err
}

func (s *Session) pop() *conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.idle) == 0 {
		return nil
	}
	c := s.idle[0]
	s.idle = s.idle[1:]
	return c
}

func (s *Session) give(c *conn, again bool) {
	s.mu.Lock()
	if again && !s.closed {
		s.idle = append(s.idle, c)
	} else {
		_ = c.Close() // nothing of it is needed any more
	}
	s.mu.Unlock()
	if s.slots != nil {
		<-s.slots
	}
}

// Close ends the idle connections; those in use end with their request. The
// session can still be used and then makes a connection for each request.
func (s *Session) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for _, c := range s.idle {
		_ = c.Close() // idle: nobody waits for it
	}
	s.idle = nil
}
