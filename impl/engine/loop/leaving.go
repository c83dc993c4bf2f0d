package loop

import (
	"io"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/unilb/unilb/impl/engine/h1"
	"github.com/unilb/unilb/impl/exchange"
)

// clientEnded: the client sends no more.
func (r *run) clientEnded() {
	if r.tunnel != nil {
		r.tunnel.over()
		return
	}
	r.clientFailed(exchange.ClientGone, exchange.CutClientGone, io.ErrUnexpectedEOF)
}

// clientGone: nobody waits for the answer any more.
func (r *run) clientGone(why exchange.CutReason) {
	if r.tunnel != nil {
		r.tunnel.over()
		return
	}
	r.clientFailed(exchange.ClientGone, why, unix.ECONNRESET)
}

// clientBad: the body is none.
func (r *run) clientBad(err error) {
	why := h1.ReasonOf(err)
	r.l.e.refused.count(why.String())
	r.rec.Refused = why.String()
	if !r.answering && r.f.open() {
		if b := r.b; b != nil {
			r.b = nil
			b.abandon()
		}
		r.closeIt, r.rec.Status, r.answering = true, why.Status(), true
		r.f.answer(why.Status())
		r.finish(false)
		return
	}
	r.clientFailed(exchange.ClientGone, exchange.CutClientMalformed, err)
}

// clientFailed ends the try under way, if any, because of the client. why is for the
// case that its answer is cut.
func (r *run) clientFailed(kind exchange.FailureKind, why exchange.CutReason, err error) {
	r.stopDialling() // what is connected now is not for this exchange
	b := r.b
	sent := r.underWay()
	if b != nil {
		r.b = nil
		b.abandon()
	}
	if r.answering || b == nil && kind == exchange.ClientGone {
		r.cut(why)
		return
	}
	switch v := r.tellFailure(exchange.Failure{Kind: kind, Sent: sent, Err: err}); v {
	case exchange.Abort, exchange.Forward: // to whom the client never sends the rest
		r.cut(why)
	default:
		r.follow(v)
	}
}

// clientLate: the client does not send its body, or does not read its answer.
func (r *run) clientLate() {
	if r.tunnel != nil {
		r.tunnel.over()
		return
	}
	switch {
	case r.answering:
		r.clientFailed(exchange.ClientGone, exchange.CutClientNotReading, syscall.ETIMEDOUT)
	case !r.whole:
		r.clientFailed(exchange.ClientGone, exchange.CutClientNotSending, syscall.ETIMEDOUT)
	}
}
