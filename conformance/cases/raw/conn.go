package raw

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/echo"
	"github.com/unilb/unilb/sim/history"
	"github.com/unilb/unilb/sim/http1"
	"github.com/unilb/unilb/sim/traffic"
	"github.com/unilb/unilb/topology"
)

// Patience is how long a client waits for the next answer, or for the end of a
// connection. Who takes longer counts as silent.
const Patience = 6 * time.Second

// OpMark stands in the text of a request for the id of its op.
const OpMark = "{op}"

// A Conn is one connection of a client.
type Conn struct {
	net.Conn
	client traffic.Client
	to     string
	rec    *history.Recorder
	r      http1.Reader
	prefix string
	number uint64
	sent   int
	// OnInterim is told of each answer 1xx as it comes; may be nil.
	OnInterim func(status int)
}

// Dial connects the first client to an address, until the case ends. Not getting
// a connection ends the case: it is a failure of the gateway, unless the client's
// place could not even ask for one.
func Dial(ctx context.Context, t *spec.T, to netip.AddrPort) *Conn {
	client := t.Env().Clients()[0]
	dialling, cancel := context.WithTimeout(ctx, Patience)
	defer cancel()
	nc, err := client.Dialer.Dial(dialling, "tcp", to)
	switch {
	case err != nil && unasked(err):
		t.Brokenf("connect to %s: %v", to, err)
	case err != nil:
		t.Fatalf("connect to %s: %v", to, err)
	}
	c := &Conn{Conn: nc, client: client, to: to.String(), rec: t.Env().Recorder(), r: http1.Reader{Reader: bufio.NewReaderSize(nc, 16<<10)}}
	c.prefix, c.number = c.rec.Reserve(t.Name("raw"))
	t.Cleanup(func(context.Context) error {
		_ = c.Close() // most are closed already
		return nil
	})
	return c
}

// unasked says that a connection failed at this end, for want of a descriptor, of a
// port or of the place itself, and not by what came, or did not come, from the peer.
func unasked(err error) bool {
	var place *spec.Trouble
	_, class := traffic.Classify(err, false)
	return errors.As(err, &place) || class == history.ClassOther || class == history.ClassCanceled
}

// A Sent is a request under way.
type Sent struct {
	op history.Op
}

// ID is that of the op.
func (s *Sent) ID() string { return s.op.ID }

// Send writes a request as it is, with OpMark replaced. Its op is recorded by
// Reply, which must follow. A peer that does not take it all may answer still.
func (c *Conn) Send(request string) *Sent {
	s := c.Begin(request)
	_ = c.Write(strings.ReplaceAll(request, OpMark, s.op.ID))
	return s
}

// Begin makes the op of a request that the caller writes himself.
func (c *Conn) Begin(request string) *Sent {
	now := c.rec.Now()
	s := &Sent{op: history.Op{
		ID: fmt.Sprintf("%s-%d", c.prefix, c.sent+1), Stream: c.prefix, Client: c.client.Ref, Kind: "http", To: c.to, From: c.LocalAddr().String(),
		Intended: now, Sent: now, Conn: c.number<<32 | 1, Reused: c.sent,
	}}
	c.sent++
	s.op.Request = described(strings.ReplaceAll(request, OpMark, s.op.ID))
	return s
}

// Write writes text as it is. An error may mean that the peer has answered and
// closed before it had read everything: that answer can still be read.
func (c *Conn) Write(text string) error {
	if err := c.SetWriteDeadline(time.Now().Add(Patience)); err != nil {
		return err
	}
	_, err := io.WriteString(c.Conn, text)
	return err
}

// maxDescribed is how much of a strange request line goes into the history.
const maxDescribed = 200

// described is a request for the history, as far as it can be read at all.
func described(text string) history.Request {
	head, body, _ := strings.Cut(text, "\r\n\r\n")
	first, rest, _ := strings.Cut(strings.TrimLeft(head, "\r\n"), "\n")
	words := strings.SplitN(strings.TrimRight(first, "\r"), " ", 3)
	for len(words) < 3 {
		words = append(words, "")
	}
	h := history.Request{Method: cut(words[0]), Target: cut(words[1]), Proto: cut(words[2]), BodyLen: int64(len(body))}
	for line := range strings.SplitSeq(rest, "\n") {
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\r"), ":")
		if len(h.Header) < 50 && line != "" {
			h.Header = append(h.Header, history.Field{Name: cut(name), Value: cut(strings.Trim(value, " \t"))})
		}
	}
	h.Host = http1.Fields(h.Header).Get("Host")
	return h
}

func cut(s string) string { return s[:min(len(s), maxDescribed)] }

// A Result is a recorded op with its answer; Reply is nil when there was none.
type Result struct {
	Op      history.Op
	Reply   *Reply
	Interim []int // answers 1xx, also when no other came
	Err     error
}

// Mine says whether a backend answered this very request.
func (r Result) Mine() bool {
	return r.Reply != nil && r.Reply.FromBackend() && r.Reply.Header.Get(echo.HeaderOp) == r.Op.ID
}

// Ended says whether the peer ended the connection instead of an answer.
func (r Result) Ended() bool { return r.Reply == nil && ended(r.Err) }

// String is what came in a few words.
func (r Result) String() string {
	switch {
	case r.Reply == nil && r.Ended():
		return "the end of the connection"
	case r.Reply == nil:
		return "no answer: " + r.Err.Error()
	case r.Mine():
		return fmt.Sprintf("%d from the backend", r.Reply.Status)
	case r.Reply.FromBackend():
		return fmt.Sprintf("%d, the backend's answer to %q with body %.80q", r.Reply.Status, r.Reply.Header.Get(echo.HeaderOp), r.Reply.Body)
	}
	return fmt.Sprintf("%d from the gateway itself", r.Reply.Status)
}

// Reply reads the next answer, for a request that was sent, and records the op.
func (c *Conn) Reply(ctx context.Context, s *Sent) Result {
	stop := c.until(ctx)
	defer stop()
	reply, interim, err := c.reply(s.op.Request.Method)
	op := s.op
	op.Returned = c.rec.Now()
	if err != nil {
		if ctx.Err() != nil {
			err = errors.Join(ctx.Err(), err)
		}
		reply = nil
		op.Outcome, op.Class = traffic.Classify(err, true)
		op.Error = err.Error()
	} else {
		op.Outcome, op.Class, op.Error = reply.Outcome(op.ID)
		op.Response = &history.Response{
			Status: reply.Status, Backend: topology.Ref(reply.Header.Get(echo.HeaderBackend)), Header: reply.Header, BodyLen: reply.Length, BodySum: reply.Sum,
		}
	}
	c.rec.Op(op)
	return Result{Op: op, Reply: reply, Interim: interim, Err: err}
}

// Next reads one more answer, which nobody asked for or whose op is recorded
// already.
func (c *Conn) Next(ctx context.Context, s *Sent) Result {
	stop := c.until(ctx)
	defer stop()
	reply, interim, err := c.reply(s.op.Request.Method)
	if err != nil {
		reply = nil
	}
	return Result{Op: s.op, Reply: reply, Interim: interim, Err: err}
}

// Do sends a request and reads the next answer.
func (c *Conn) Do(ctx context.Context, request string) Result {
	return c.Reply(ctx, c.Send(request))
}

// Ends reads until the peer ends the connection, and returns what else came.
func (c *Conn) Ends(ctx context.Context) (rest string, ok bool) {
	stop := c.until(ctx)
	defer stop()
	b, err := io.ReadAll(io.LimitReader(c.r.Reader, maxBodyBytes))
	return string(b), err == nil && len(b) < maxBodyBytes || err != nil && ended(err)
}

// Buffered is the connection with what was read ahead, for what comes after an
// upgrade.
func (c *Conn) Buffered() *bufio.Reader { return c.r.Reader }

// CloseWrite says that nothing more comes.
func (c *Conn) CloseWrite() error {
	inner := c.Conn
	for {
		switch x := inner.(type) {
		case interface{ CloseWrite() error }:
			return x.CloseWrite()
		case interface{ NetConn() net.Conn }:
			inner = x.NetConn()
		default:
			return errors.New("this connection cannot be half closed")
		}
	}
}

func (c *Conn) until(ctx context.Context) (stop func()) {
	_ = c.SetReadDeadline(time.Now().Add(Patience)) // fails only where reading fails
	end := context.AfterFunc(ctx, func() { _ = c.SetReadDeadline(time.Unix(1, 0)) })
	return func() { end() }
}
