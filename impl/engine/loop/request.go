package loop

import (
	"errors"

	"github.com/unilb/unilb/impl/exchange"
)

// takes tells whether more of the request's body is wanted now.
func (r *run) takes() bool {
	if r.whole || r.tunnel != nil {
		return false
	}
	if r.answering && r.b == nil {
		return false // nobody waits for the rest
	}
	if !r.underWay() {
		if r.collecting {
			return len(r.kept) <= r.x.CollectLimit
		}
		return len(r.kept) < r.x.ReplayLimit // perhaps another target is to get it
	}
	return !r.b.full()
}

// awaits tells whether the client is to send more of the request's body in its time.
// Once the answer has begun it need not: messages may go to and fro for as long as the
// target has something to say in its own time.
func (r *run) awaits() bool { return r.takes() && !r.answering }

// underWay tells that a target has taken some of the request. Before that nothing of
// the body is given up: every other target must be able to get all of it.
func (r *run) underWay() bool { return r.b != nil && r.b.sentAny() }

// body takes a part of the request's body. It returns false when no more is wanted,
// ever.
func (r *run) body(data []byte, done bool) bool {
	r.whole = done
	r.rec.Received += int64(len(data))
	if r.f != nil && !done {
		r.slow.moved(r.l, len(data))
	}
	if most := r.l.e.o.MaxBody; most > 0 && r.rec.Received > most {
		r.framing.Close = true // the rest of it, and what follows, is not read
		r.clientFailed(exchange.ClientTooBig, exchange.CutClientTooBig, errTooBig)
		return false
	}
	r.keepBody(data)
	switch {
	case r.b != nil:
		r.b.body(data, done)
	case r.collecting && r.collected(len(data)):
		r.askWithBody()
	}
	if r.f != nil {
		r.f.pace()
	}
	return true
}

var errTooBig = errors.New("the body of the request exceeds the limit")

// keepBody keeps what another try would have to send again.
func (r *run) keepBody(data []byte) {
	if r.spilled || len(data) == 0 {
		return
	}
	if len(r.kept)+len(data) > r.x.ReplayLimit && r.underWay() {
		r.spilled = true
		r.empty()
		return
	}
	r.kept = append(r.kept, data...)
}

// empty forgets what was kept. Nobody holds on to a buffer that has grown large.
func (r *run) empty() {
	if r.kept = r.kept[:0]; cap(r.kept) > exchange.DefaultReplayLimit {
		r.kept = nil
	}
}

// goAhead tells a client that waits for it to send its body.
func (r *run) goAhead() {
	if r.framing.Expect && !r.promised && !r.whole && r.rec.Received == 0 {
		r.promised = true
		r.f.goAhead()
	}
}
