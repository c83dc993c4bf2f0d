package loop

import (
	"errors"
	"fmt"

	"github.com/unilb/unilb/impl/engine/h1"
	"github.com/unilb/unilb/impl/engine/h2"
	"github.com/unilb/unilb/impl/exchange"
)

// interim takes an answer of 1xx.
func (b *branch) interim() {
	r := b.run
	if b.interims++; b.interims > maxInterims {
		b.fail(exchange.BadAnswer, errInterims)
		return
	}
	r.interim(r.x.Response.Status)
}

// answer takes the head of the answer.
func (b *branch) answer(h h2.AnswerHead) {
	r := b.run
	x := &r.x
	if v := r.tellAnswer(); v != exchange.Continue {
		r.b = nil
		b.abandon()
		r.follow(v)
		return
	}
	length := h.Length
	switch {
	case r.bodyless || x.Response.Status == 304: // what the body would have
	case x.FilterBody || length == 0 && !h.End: // trailers may follow
		length = -1
	case h.End:
		length = 0
	}
	r.l.names = h1.TrailerNames(r.l.names[:0], h.Trailer)
	if len(r.l.names) > 0 && r.c != nil && !h.End && !r.bodyless {
		length = -1 // HTTP/1.1 has trailers behind chunks alone
	}
	r.startAnswer(x.Response.Status, x.Response.Fields, length, r.l.names)
	b.headed = true
	if h.End || r.bodyless {
		b.detach()
		b.pass(nil, true)
		return
	}
	b.watch()
}

// data takes a part of the answer's body.
func (b *branch) data(p []byte, end bool) {
	if end {
		b.detach()
	}
	if b.holds() || len(p) > 0 && b.run.f.full() {
		b.keep(p)
		b.inEnd = end
		b.watch()
		return
	}
	b.pass(p, end)
}

// trail takes the end of an answer that has trailers.
func (b *branch) trail(fields exchange.Fields) {
	b.detach()
	if !b.holds() {
		b.finish(fields)
		return
	}
	a := &b.run.x.Arena
	for _, f := range fields {
		b.trailers = append(b.trailers, exchange.Field{Name: a.Copy(f.Name), Value: a.Copy(f.Value)})
	}
	b.inEnd = true
}

// detach lets go of the stream of an answer of which nothing more is wanted: it ends by
// itself, or is ended with what is left of the request (RFC 9113, 8.1).
func (b *branch) detach() {
	s := b.s
	b.s = nil
	if s != nil {
		s.Reset(h2.NoError)
	}
	b.out = nil
}

// holds tells whether something of the answer waits for the client.
func (b *branch) holds() bool { return len(b.in) > 0 || b.inEnd }

func (b *branch) keep(p []byte) {
	if b.in == nil {
		b.in = b.t.l.buffer()
	}
	b.in = append(b.in, p...)
}

// goOn passes on what was held.
func (b *branch) goOn() {
	if b.run != nil && b.holds() && !b.run.f.full() {
		b.handOver()
	}
}

// handOver passes on what is held, whether the client takes it now or not.
func (b *branch) handOver() {
	r := b.run
	defer r.mine().rescue()
	l, p, end := b.t.l, b.in, b.inEnd
	b.in, b.inEnd = nil, false
	if end && len(b.trailers) > 0 {
		b.pass(p, false)
		b.finish(b.trailers)
	} else {
		b.pass(p, end)
	}
	if p != nil {
		l.giveBack(p)
	}
}

// pass gives a part of the answer's body to the client.
func (b *branch) pass(p []byte, end bool) {
	r, out := b.run, p
	if r.x.FilterBody {
		out = r.l.e.o.Handler.OnBody(&r.x, p, end)
	}
	r.sendBody(out, end)
	if end {
		b.complete(nil)
		return
	}
	if b.s != nil {
		b.s.Consumed(len(p))
	}
	b.watch()
}

// finish ends an answer with its trailers.
func (b *branch) finish(trailers exchange.Fields) {
	r := b.run
	if r.x.FilterBody {
		r.sendBody(r.l.e.o.Handler.OnBody(&r.x, nil, true), false)
	}
	b.complete(trailers)
}

// complete ends the exchange after a whole answer.
func (b *branch) complete(trailers exchange.Fields) {
	r := b.run
	r.endBody(trailers)
	b.t.served++
	r.b = nil
	b.leave()
	r.finish(false)
}

// lost is called when the stream has ended before its answer.
func (b *branch) lost(e h2.Error) {
	r, t := b.run, b.t
	f := exchange.Failure{Kind: exchange.BadAnswer, Sent: b.begun, Replayable: !r.spilled, Err: e}
	written := b.sentAny()
	silent := b.reused && t.heard <= b.since
	headed, asked := b.headed, b.asked
	r.b, b.s = nil, nil
	b.leave()
	if headed {
		r.cut(t.cutReason(e))
		return
	}
	cost := 0 // of trying again by ourselves
	switch {
	case e.Reason == h2.ReasonLeft:
		f.Kind, f.Sent, cost = exchange.FailedRead, false, 1
	case e.Untouched():
		f.Kind, f.Sent, cost = exchange.FailedRead, false, refusedCost
	case e.Reason == h2.ReasonPeer:
		f.Kind = exchange.FailedRead
	case e.Reason == h2.ReasonCut:
		f.Sent = written // and no more will be
		f.Kind, f.Err = exchange.FailedRead, fmt.Errorf("connection with other requests: %w", t.why)
		if !asked || !f.Sent {
			f.Kind = exchange.FailedSend
		}
		// As for a kept connection of HTTP/1.1 that only turned out to be dead.
		if silent && (!f.Sent || exchange.Idempotent(r.x.Request.Method)) {
			cost = 1
		}
	}
	if cost > 0 && !r.spilled && r.stale+cost <= maxStale {
		r.stale += cost
		r.attempt()
		return
	}
	r.failed(f)
}

// refusedCost is how much a refused stream counts of maxStale: a target that has too much
// to do is asked twice more at most.
const refusedCost = maxStale / 2

// fail ends the try, and the stream if there is one.
func (b *branch) fail(kind exchange.FailureKind, err error) {
	r := b.run
	defer r.mine().rescue()
	// What waits to be written will be, as long as others keep the connection open.
	f := exchange.Failure{Kind: kind, Sent: b.sentAny() || b.begun && b.t.open(), Replayable: !r.spilled, Err: err}
	headed := b.headed
	r.b = nil
	b.abandon()
	if headed {
		why := exchange.CutTargetMalformed
		if kind.Timeout() {
			why = exchange.CutTargetSilent
		}
		r.cut(why)
		return
	}
	r.failed(f)
}

// cutReason says what the end of a stream is for an answer that is under way.
func (t *trunk) cutReason(e h2.Error) exchange.CutReason {
	switch e.Reason {
	case h2.ReasonPeer, h2.ReasonLeft:
		return exchange.CutTargetReset
	case h2.ReasonCut:
		switch {
		case errors.Is(t.why, errPanic):
			return exchange.CutInternal
		case errors.Is(t.why, errEnded):
			return exchange.CutTargetEnded
		}
		return exchange.CutTargetReset
	}
	return exchange.CutTargetMalformed
}
