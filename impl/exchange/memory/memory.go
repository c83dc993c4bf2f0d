// Package memory owns an engine without sockets: requests come from values,
// the upstream is a function. It is as cruel as a correct engine may be: all
// requests of a batch share one buffer that is overwritten when the batch ends,
// heads and bodies of answers live in buffers that are overwritten as soon as
// the handler returns, and the arena is overwritten after each exchange. A
// handler that keeps a view shows it as text of Poison bytes.
//
// It is for tests. An Engine is not safe for concurrent use.
package memory

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"time"
	"unsafe"

	"github.com/unilb/unilb/impl/certs"
	"github.com/unilb/unilb/impl/exchange"
)

// Poison is what overwritten memory holds.
const Poison = 0xDB

// Request is a request to be made.
type Request struct {
	Method, Target, Authority string
	Fields                    exchange.Fields
	Body                      string
	Remote, Local             netip.AddrPort
	Upgrade                   string
	TLS                       *certs.Conn // nil: without TLS
}

// Sent is what the upstream was asked in one attempt.
type Sent struct {
	Plan   exchange.Plan
	Name   string // of the target
	Method string
	Target string
	Fields exchange.Fields
	Body   string
}

// Reply is what the upstream answers. Failure, when set, takes the place of an
// answer.
type Reply struct {
	Failure *exchange.Failure
	Status  int
	Fields  exchange.Fields
	Chunks  []string
}

// Answer is what the client got.
type Answer struct {
	Aborted bool
	Status  int
	Fields  exchange.Fields
	Body    string
	Sent    []Sent
}

// Engine runs exchanges through a handler.
type Engine struct {
	Handler  exchange.Handler
	Upstream func(Sent) Reply
	// OnSuspend is called when the handler suspends; it must see to it that
	// Resume is called before it returns.
	OnSuspend func(*exchange.Exchange)
	// Now is the clock; nil: time.Now.
	Now func() time.Time

	buf  []byte
	idle []*run
}

// run is one exchange under way.
type run struct {
	x       exchange.Exchange
	req     Request
	verdict exchange.Verdict
	resumed bool
	out     Answer
}

// Do runs one request in a batch of its own.
func (e *Engine) Do(r Request) Answer { return e.Batch(r)[0] }

// Batch runs requests as one batch of a loop: all heads are handled first, then
// the shared buffer is overwritten, then everything else happens.
func (e *Engine) Batch(reqs ...Request) []Answer {
	runs := make([]*run, len(reqs))
	e.buf = e.buf[:0]
	size := 0
	for _, r := range reqs {
		size += headSize(r)
	}
	if cap(e.buf) < size {
		e.buf = make([]byte, 0, size) // never grows below a view
	}
	for i, r := range reqs {
		runs[i] = e.take()
		runs[i].req = r
		e.fill(runs[i], r)
	}
	for _, r := range runs {
		r.verdict = e.ask(&r.x)
	}
	// What was answered within the batch is written (and done) within it.
	for _, r := range runs {
		if r.verdict == exchange.Respond || r.verdict == exchange.Abort {
			e.finish(r)
		}
	}
	poison(e.buf)
	out := make([]Answer, len(runs))
	for i, r := range runs {
		e.carryOut(r)
		out[i] = r.out
		r.x.Arena.Poison(Poison)
		e.idle = append(e.idle, r)
	}
	return out
}

// clock sets the time of a call of the handler.
func (e *Engine) clock(x *exchange.Exchange) {
	x.Now = time.Now()
	if e.Now != nil {
		x.Now = e.Now()
	}
}

func (e *Engine) ask(x *exchange.Exchange) exchange.Verdict {
	e.clock(x)
	return e.Handler.OnRequest(x)
}

func (e *Engine) take() *run {
	var r *run
	if n := len(e.idle); n > 0 {
		r, e.idle = e.idle[n-1], e.idle[:n-1]
	} else {
		r = &run{}
	}
	r.out, r.resumed = Answer{}, false
	r.x.Reset(0, func() { r.resumed = true })
	return r
}

func headSize(r Request) int {
	n := 2*(len(r.Method)+len(r.Target)+len(r.Authority)) + len(r.Upgrade)
	for _, f := range r.Fields {
		n += len(f.Name) + len(f.Value)
	}
	return n
}

// view puts a text into the shared buffer and returns a view of it.
func (e *Engine) view(s string) string {
	if s == "" {
		return ""
	}
	at := len(e.buf)
	e.buf = append(e.buf, s...)
	return unsafe.String(&e.buf[at], len(s))
}

func (e *Engine) fill(run *run, r Request) {
	x := &run.x
	target := e.view(r.Target)
	path, query, _ := strings.Cut(target, "?")
	path, err := exchange.NormalizePath(&x.Arena, path)
	if err != nil {
		panic(fmt.Sprintf("memory: %q: %v; an engine answers such a request itself", r.Target, err))
	}
	authority := e.view(r.Authority)
	fields := x.Request.Fields
	for _, f := range r.Fields {
		fields = append(fields, exchange.Field{Name: e.view(f.Name), Value: e.view(f.Value)})
	}
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	x.Request = exchange.Request{
		Method: e.view(r.Method), Scheme: scheme, TLS: r.TLS, Authority: authority, Host: exchange.HostName(&x.Arena, authority),
		Target: target, Path: path, Query: query, Proto: exchange.HTTP11, Remote: r.Remote, Local: r.Local,
		Fields: fields, BodyLength: int64(len(r.Body)), Upgrade: e.view(r.Upgrade),
	}
}

// carryOut follows the verdicts until the exchange is done.
func (e *Engine) carryOut(r *run) {
	for {
		switch r.verdict {
		case exchange.Suspend:
			r.resumed = false
			e.OnSuspend(&r.x)
			if !r.resumed {
				panic("memory: OnSuspend returned without Resume")
			}
			r.verdict = e.ask(&r.x)
		case exchange.Collect:
			r.verdict = e.collect(r)
		case exchange.Forward:
			r.verdict = e.attempt(r)
		case exchange.Continue:
			return // the answer was relayed
		default:
			if r.out.Status == 0 && !r.out.Aborted {
				e.finish(r)
			}
			return
		}
	}
}

// collect asks again with the body, with a byte more than the limit of it, or with one for
// which there is no room.
func (e *Engine) collect(r *run) exchange.Verdict {
	body := exchange.Body{State: exchange.BodyWhole, Bytes: []byte(r.req.Body)}
	for i := range body.Bytes {
		if i == r.x.CollectLimit {
			body = exchange.Body{State: exchange.BodyTooLong, Bytes: body.Bytes[:i+1]}
			break
		}
		if !r.x.Charge(1) {
			body = exchange.Body{State: exchange.BodyNoRoom, Bytes: body.Bytes[:i+1]}
			break
		}
	}
	r.x.Request.Body = body
	v := e.ask(&r.x)
	poison(body.Bytes)
	r.x.Request.Body.Bytes = nil
	return v
}

// finish sends an answer that is ours.
func (e *Engine) finish(r *run) {
	if r.verdict == exchange.Abort {
		r.out.Aborted = true
		e.done(r)
		return
	}
	r.out.Status = r.x.Answer.Status
	r.out.Fields = keep(r.x.Answer.Fields, r.x.ResponseEdits)
	for r.x.Body != nil {
		b, err := r.x.Body.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		r.out.Body += string(b)
	}
	e.done(r)
}

func (e *Engine) done(r *run) {
	e.Handler.OnDone(&r.x, exchange.Record{Status: r.out.Status, Received: int64(len(r.req.Body)),
		Sent: int64(len(r.out.Body)), Cut: r.out.Aborted})
}
