package traffic

import (
	"context"
	"fmt"
	"net/netip"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
	"unique"

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
	toText string
	rec    *history.Recorder
	o      Options

	prefix string // of the ids of operations: no other session of the run has it
	number uint64 // of the session in its run; upper half of its connections' ids
	ops    atomic.Uint64
	conns  atomic.Uint64
	slots  chan struct{} // one for each connection that may exist; nil without keep-alive

	mu     sync.Mutex
	idle   []*conn // used in turn, so that all of them stay in use
	closed bool
}

// NewSession makes a session; it dials when it has something to send. Its
// operations get the stream's name with a number as their ids.
func NewSession(c Client, to netip.AddrPort, rec *history.Recorder, o Options) *Session {
	if o.Stream == "" {
		o.Stream = string(c.Ref)
	}
	return newSession(c, to, rec, o, o.Stream)
}

func newSession(c Client, to netip.AddrPort, rec *history.Recorder, o Options, name string) *Session {
	if o.Timeout == 0 {
		o.Timeout = DefaultTimeout
	}
	if o.KeepBody == 0 {
		o.KeepBody = 1 << 20
	}
	s := &Session{client: c, to: to, toText: to.String(), rec: rec, o: o}
	s.prefix, s.number = rec.Reserve(idOf(name))
	if o.Conns.Keep > 0 {
		s.slots = make(chan struct{}, o.Conns.Keep)
	}
	return s
}

// maxPrefixBytes is the longest part of a name that goes into the ids of
// operations, which every request carries.
const maxPrefixBytes = 64

// idOf makes a name fit for a header value.
func idOf(name string) string {
	b := []byte(name[:min(len(name), maxPrefixBytes)])
	for i, c := range b {
		if c <= ' ' || c > '~' {
			b[i] = '_'
		}
	}
	return string(b)
}

func opID(prefix string, n uint64) string {
	b := make([]byte, 0, len(prefix)+1+20)
	return string(strconv.AppendUint(append(append(b, prefix...), '-'), n, 10))
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

// Do sends one request now and records it. It always returns a recorded
// operation.
func (s *Session) Do(ctx context.Context, r Request) Result {
	return s.do(ctx, r.prepare(s.toText), opID(s.prefix, s.ops.Add(1)), s.rec.Now())
}

// do sends one request now and records it as one that should have been sent at
// the given moment.
func (s *Session) do(ctx context.Context, p prepared, id string, intended time.Duration) Result {
	op := history.Op{
		ID: id, Stream: s.o.Stream, Client: s.client.Ref, Kind: "http", To: s.toText,
		Intended: intended, Sent: s.rec.Now(), Request: p.record(s.o.Headers),
	}
	deadline := time.Now().Add(s.o.Timeout)
	if d, ok := ctx.Deadline(); ok && d.Before(deadline) {
		deadline = d
	}
	reply, via, err := s.exchange(ctx, deadline, p, id)
	op.Returned = s.rec.Now()
	op.Conn, op.Reused, op.From = via.id, via.used, via.from
	if err != nil {
		op.Outcome, op.Class = Classify(err, via.id != 0)
		op.Error = err.Error()
	} else {
		op.Outcome, op.Class, op.Error = reply.Outcome(id)
		op.Response = s.response(reply)
	}
	s.rec.Op(op)
	return Result{Op: op, Reply: reply, Err: err}
}

// response is what the history says of a response. All strings of a head share
// memory: one copy of the backend's name is kept, not a head for each operation.
func (s *Session) response(r *Reply) *history.Response {
	out := &history.Response{
		Status: r.Status, Backend: topology.Ref(unique.Make(r.Header.Get(echo.HeaderBackend)).Value()), BodyLen: r.Length, BodySum: r.Sum,
	}
	if s.o.Headers {
		out.Header = r.Header
	}
	return out
}

// identity says which connection carried a request; the zero value says none.
type identity struct {
	id   uint64
	used int // requests it had carried before
	from string
}

// exchange sends one request over a connection that it takes and gives back.
func (s *Session) exchange(ctx context.Context, deadline time.Time, p prepared, id string) (*Reply, identity, error) {
	c, err := s.take(ctx, deadline)
	if err != nil {
		return nil, identity{}, err
	}
	via := identity{c.id, c.used, c.from} // now: once given back it is somebody else's
	reply, err := c.roundTrip(ctx, deadline, p, id, exchangeOptions{last: s.slots == nil, keep: s.o.KeepBody})
	s.give(c, err == nil && !reply.Close && s.slots != nil)
	return reply, via, err
}

// take finds an idle connection that is alive, or makes one.
func (s *Session) take(ctx context.Context, deadline time.Time) (*conn, error) {
	if s.slots != nil {
		if err := s.slot(ctx, deadline); err != nil {
			return nil, fmt.Errorf("wait for a connection: %w", err)
		}
		for c := s.pop(); c != nil; c = s.pop() {
			if !c.stale() {
				return c, nil
			}
			_ = c.Close() // the server ended it while it was idle
		}
	}
	ctx, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	c, err := dial(ctx, s.client.Dialer, s.to, s.number<<32|s.conns.Add(1))
	if err != nil && s.slots != nil {
		<-s.slots
	}
	return c, err
}

// slot waits until one more connection may be in use.
func (s *Session) slot(ctx context.Context, deadline time.Time) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case s.slots <- struct{}{}:
		return nil
	default:
	}
	ctx, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	select {
	case s.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
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
