package loop

import (
	"errors"
	"io"

	"github.com/unilb/unilb/impl/exchange"
)

// respond sends an answer that is ours.
func (r *run) respond() {
	x := &r.x
	a := &x.Answer
	length := a.BodyLength
	if x.Body == nil {
		length = 0
	}
	r.startAnswer(a.Status, a.Fields, length, nil)
	r.own = true
	r.pump()
}

// pump sends of our own body what the client takes.
func (r *run) pump() {
	x := &r.x
	if x.Body == nil || r.bodyless {
		r.finish(false)
		return
	}
	for !r.f.full() {
		chunk, err := x.Body.Next()
		if errors.Is(err, io.EOF) {
			r.endBody(nil)
			r.finish(false)
			return
		}
		if err != nil {
			r.cut(exchange.CutInternal)
			return
		}
		r.sendBody(chunk, false)
		if !r.f.open() {
			r.cut(exchange.CutClientGone)
			return
		}
	}
	r.x.Own() // the log needs the request after its batch
}

// startAnswer writes the head of an answer. length is below zero when it is not
// known.
func (r *run) startAnswer(status int, fields exchange.Fields, length int64, trailer exchange.Fields) {
	r.answering = true
	if status < 200 || status == 204 || status == 304 {
		r.bodyless = true
	}
	r.f.head(r, status, fields, length, trailer)
	r.rec.Status = status
}

// sendBody sends a part of the answer's body; last: nothing follows.
func (r *run) sendBody(b []byte, last bool) {
	if len(b) == 0 || r.bodyless {
		return
	}
	r.rec.Sent += int64(len(b))
	r.f.body(r, b, last)
}

// endBody ends a body.
func (r *run) endBody(trailers exchange.Fields) { r.f.end(r, trailers) }
