package exchange

import (
	"io"
	"time"
)

// Verdict is what the handler wants to happen next.
type Verdict uint8

const (
	// Abort closes the downstream connection without an answer. It is the
	// zero value: an answer that nobody decided on is never sent.
	Abort Verdict = iota
	// Continue goes on: after OnResponse, pass the answer to the client.
	Continue
	// Respond sends Exchange.Answer. Return what Exchange.Respond returns.
	Respond
	// Forward carries out Exchange.Plan. Return what Exchange.Forward returns.
	Forward
	// Suspend waits until Resume is called; then OnRequest is called again,
	// and Exchange.Phase says where it stopped. Only OnRequest may suspend.
	Suspend
	// Collect waits for the request's body; then OnRequest is called again. Return what
	// Exchange.Collect returns. Only OnRequest may ask for it, and once.
	Collect
)

// Phase is a step of the pipeline, named as APISIX names it.
type Phase uint8

// The phases, in their order.
const (
	NoPhase       Phase = iota // before the first
	Rewrite                    // after matching; may change the request
	ConsumerMerge              // configuration of the caller joins
	Access                     // may refuse
	BeforeProxy                // once per attempt, target known
	HeaderFilter               // head of the answer
	BodyFilter                 // each chunk of its body
	Log                        // after the last byte
)

// DefaultReplayLimit is how many bytes of a request body are kept for a
// second attempt when nothing else was set.
const DefaultReplayLimit = 64 << 10

// Slots is the number of words policies may use per exchange.
const Slots = 8

// Handler is the pipeline as an engine sees it. No method may block, and none
// may keep a view (see the package comment).
type Handler interface {
	// OnRequest is called when the head of a request is complete.
	OnRequest(*Exchange) Verdict
	// OnFailure is called when an attempt ended without the head of an
	// answer. Forward tries again, Respond gives up.
	OnFailure(*Exchange, Failure) Verdict
	// OnResponse is called when the head of the upstream's answer is
	// complete, and not for answers of our own. Continue passes it on.
	OnResponse(*Exchange) Verdict
	// OnBody is called for each chunk of the upstream's body when
	// Exchange.FilterBody is set, and returns what to send instead (which may
	// be the chunk, or nothing). The last call may have an empty chunk.
	OnBody(x *Exchange, chunk []byte, last bool) []byte
	// OnDone is called once, when the last byte was sent or the exchange was
	// cut. The request is still readable.
	OnDone(*Exchange, Record)
}

// Record is what came of an exchange, for the log.
type Record struct {
	// Status that went to the client; 0 when none did.
	Status int
	// Received and Sent count body bytes from and to the client.
	Received, Sent int64
	// Duration from the complete head of the request to the last byte.
	Duration time.Duration
	// Refused is why the engine took no more of the request's body; empty: it did.
	Refused string
	// Cut: the answer did not end as its head promised, or never came. CutReason says
	// why; it has no meaning otherwise.
	Cut       bool
	CutReason CutReason
}

// Source yields the body of an answer that is ours. Next returns the next
// chunk, valid until the next call, and io.EOF after the last. It must not
// block: an answer that is not ready yet is suspended, not responded.
type Source interface {
	Next() ([]byte, error)
}

// Exchange is one request and its answer. Engines reuse it: see Reset.
type Exchange struct {
	Request  Request
	Response Response // set by the engine before OnResponse
	Arena    Arena

	// RequestEdits are applied to Request.Fields when the head goes to the
	// upstream, ResponseEdits to the fields of the answer (upstream's or
	// ours). Values must be constants or live in the Arena.
	RequestEdits, ResponseEdits Edits

	Plan   Plan     // what Forward carries out
	Answer Response // what Respond sends
	Body   Source   // and its body; nil: none

	// ReplayLimit is how many bytes of the request body the engine keeps for
	// another attempt. A longer body is passed through once.
	ReplayLimit int
	// CollectLimit is what Collect was told, in bytes; 0: nobody has asked for the body.
	CollectLimit int
	// FilterBody asks for OnBody; without it the engine may splice.
	FilterBody bool
	// Phase is the pipeline's position.
	Phase Phase
	// Slots belong to policies; zero at the start of each exchange.
	Slots [Slots]uint64
	// State belongs to the handler. It survives Reset, so that the handler
	// allocates it once per Exchange, not once per request.
	State any
	// Lane numbers the loop (or stripe) the exchange runs on, from 0.
	Lane int
	// Now is when that came about which the handler is called for. The engine sets
	// it before OnRequest, OnFailure and OnResponse, from one clock.
	Now time.Time

	budget  *Budget // that Collect was told; nil: none
	charged int64   // bytes of it

	fixed  fixedSource
	resume func()
}

// Reset prepares the exchange for the next request. Memory is kept, every view
// of the old request dies. resume is how Resume reaches the engine; it must be
// safe to call from any goroutine.
func (x *Exchange) Reset(lane int, resume func()) {
	fields := x.Request.Fields[:0]
	rf := x.Response.Fields[:0]
	x.Request = Request{Fields: fields}
	x.Response = Response{Fields: rf}
	x.Answer, x.Plan, x.Body = Response{Fields: x.Answer.Fields[:0]}, Plan{}, nil
	x.RequestEdits, x.ResponseEdits = x.RequestEdits[:0], x.ResponseEdits[:0]
	x.ReplayLimit, x.CollectLimit, x.FilterBody, x.Phase = DefaultReplayLimit, 0, false, NoPhase
	x.budget, x.charged = nil, 0
	x.Slots = [Slots]uint64{}
	x.Lane, x.resume = lane, resume
	x.fixed = fixedSource{}
	x.Arena.Reset()
}

// Own moves the request into the arena: from now on it is readable until
// OnDone has returned. Idempotent.
func (x *Exchange) Own() { x.Request.own(&x.Arena) }

// Respond answers with this head and body. body may be nil.
func (x *Exchange) Respond(head Response, body Source) Verdict {
	x.Answer, x.Body = head, body
	return Respond
}

// RespondBytes answers with a fixed body, which must not change afterwards,
// and the content type (none when empty).
func (x *Exchange) RespondBytes(status int, contentType string, body []byte) Verdict {
	fields := x.Answer.Fields[:0]
	if contentType != "" {
		fields = append(fields, Field{"Content-Type", contentType})
	}
	x.fixed = fixedSource{rest: body}
	return x.Respond(Response{Status: status, Fields: fields, BodyLength: int64(len(body))}, &x.fixed)
}

// Forward sends the request to a target. The request is owned from here on:
// a retry, the response phases and the log need it after its batch.
func (x *Exchange) Forward(p Plan) Verdict {
	x.Own()
	x.Plan = p
	return Forward
}

// Suspend owns the request and returns the verdict of the same name.
func (x *Exchange) Suspend() Verdict {
	x.Own()
	return Suspend
}

// Collect asks for the body of the request, for a decision that depends on it: OnRequest is
// called again when all of it is there, or more than limit bytes are, or one for which the
// budget has no room (nil: there is none), and finds it in Request.Body. The engine keeps
// what it has read for the upstream, whatever ReplayLimit says, and charges the budget with
// each piece of it as it comes; OnDone calls Refund. A client that sends its body too slowly
// or goes away is treated as always: OnDone alone is called. limit is positive. The request
// is owned from here on.
func (x *Exchange) Collect(limit int, b *Budget) Verdict {
	x.Own()
	x.Refund() // who asks twice is charged once
	x.CollectLimit, x.budget = limit, b
	return Collect
}

// Resume ends a Suspend. It may be called from any goroutine, once for each
// Suspend; the engine then calls the handler again on its own loop.
func (x *Exchange) Resume() { x.resume() }

type fixedSource struct{ rest []byte }

func (f *fixedSource) Next() ([]byte, error) {
	if len(f.rest) == 0 {
		return nil, io.EOF
	}
	b := f.rest
	f.rest = nil
	return b, nil
}
