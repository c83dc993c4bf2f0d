package loop

import (
	"fmt"

	"github.com/unilb/unilb/impl/engine/h1"
	"github.com/unilb/unilb/impl/exchange"
)

// maxAnswerHead bounds the head of a target's answer, in bytes.
const maxAnswerHead = 256 << 10

// use takes the answer out of b and returns what has to wait.
func (u *upstream) use(b []byte) []byte {
	for u.open() && u.run != nil {
		r := u.run
		switch {
		case r.tunnel != nil:
			if len(b) > 0 {
				r.tunnel.fromTarget(b)
			}
			return nil
		case !u.inBody:
			if len(b) == 0 {
				return nil
			}
			n, ok := u.head(b)
			if !ok || n == 0 {
				return b
			}
			b = b[n:]
		case r.f.full() && len(b) > 0:
			u.watch()
			return b // and is taken up again when the client has room
		default:
			data, n, done, err := u.answer.Next(b)
			if err != nil {
				u.cut(exchange.CutTargetMalformed)
				return nil
			}
			b = b[n:]
			if r.x.FilterBody {
				data = r.l.e.o.Handler.OnBody(&r.x, data, done)
			}
			r.sendBody(data, done && len(u.answer.Trailers()) == 0)
			if done {
				u.complete(len(b))
				return nil
			}
			if len(b) == 0 {
				u.watch()
				return nil
			}
		}
	}
	return nil
}

// head looks for the head of the answer; n is 0 when there is none yet. Not ok: the
// connection is not this request's any more.
func (u *upstream) head(b []byte) (n int, ok bool) {
	r := u.run
	n, err := u.scan.Head(b, maxAnswerHead, h1.Answer)
	if err == nil && n == 0 {
		u.watch()
		return 0, true
	}
	x := &r.x
	if err == nil {
		err = h1.ParseAnswer(b[:n], x.Request.Method, &x.Response, &u.framing)
	}
	u.scan = h1.Scan{}
	switch status := x.Response.Status; {
	case err != nil:
		u.failure(exchange.BadAnswer, err)
		return 0, false
	case status == 101:
		return n, u.switched(b[:n], b[n:])
	case status < 200 && u.interims == maxInterims:
		u.failure(exchange.BadAnswer, errInterims)
		return 0, false
	case status < 200:
		u.interims++
		r.interim(status)
		return n, true
	}
	if v := r.tellAnswer(); v != exchange.Continue {
		u.run, r.b = nil, nil
		u.close()
		r.follow(v)
		return 0, false
	}
	length := u.framing.Length
	if length == 0 && r.bodyless || x.Response.Status == 304 {
		length = u.framing.ContentLength // what the body would have
	}
	if x.FilterBody && !r.bodyless || length == h1.UntilClose || length == h1.Chunked {
		length = -1
	}
	r.l.names = h1.TrailerNames(r.l.names[:0], u.framing.Trailer)
	r.startAnswer(x.Response.Status, x.Response.Fields, length, r.l.names)
	u.inBody = true
	u.answer.Begin(u.framing.Length)
	return n, true
}

// tellAnswer tells the handler of the head of the target's answer.
func (r *run) tellAnswer() exchange.Verdict {
	r.x.Now = r.l.time
	return r.l.e.o.Handler.OnResponse(&r.x)
}

// maxInterims bounds the answers of 1xx to one request.
const maxInterims = 1000

var errInterims = fmt.Errorf("target sent more than %d answers of 1xx", maxInterims)

// interim passes a 1xx answer on. 100 is not passed: the expectation was met on our
// side of the gateway.
func (r *run) interim(status int) {
	if status != 100 && !r.answering {
		r.f.interim(r, status)
	}
}

// complete ends the exchange after a whole answer. over is how many bytes came after
// it.
func (u *upstream) complete(over int) {
	r := u.run
	r.endBody(u.answer.Trailers())
	keep := over == 0 && !u.framing.Close && u.framing.Length != h1.UntilClose && u.asked && u.waiting() == 0 && !u.ended
	u.run, r.b, u.inBody = nil, nil, false
	if keep {
		u.pool.keep(u)
	} else {
		u.close()
	}
	r.finish(false)
}
