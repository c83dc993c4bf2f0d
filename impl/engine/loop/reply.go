package loop

import (
	"errors"
	"io"

	"github.com/unilb/unilb/impl/engine/h1"
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
	for !r.c.full() {
		chunk, err := x.Body.Next()
		if errors.Is(err, io.EOF) {
			r.endBody(nil)
			r.finish(false)
			return
		}
		if err != nil {
			r.finish(true)
			return
		}
		r.sendBody(chunk)
		if !r.c.open() {
			r.finish(true)
			return
		}
	}
	r.x.Own() // the log needs the request after its batch
}

// startAnswer writes the head of an answer. length is below zero when it is not
// known.
func (r *run) startAnswer(status int, fields exchange.Fields, length int64, trailer exchange.Fields) {
	l, x := r.l, &r.x
	old := x.Request.Proto == exchange.HTTP10
	r.answering = true
	r.closeIt = r.framing.Close || l.e.closing() || !r.whole
	out := h1.OutFraming{Length: length, Date: l.dateText(), Trailer: trailer}
	switch {
	case status < 200 || status == 204:
		out.Length, r.bodyless = h1.None, true
	case status == 304:
		r.bodyless = true
		if length < 0 {
			out.Length = h1.None
		}
	case length < 0 && r.bodyless:
		out.Length = h1.None
	case length < 0 && old:
		out.Length, r.closeIt = h1.None, true
	case length < 0:
		out.Length, r.chunked = h1.Chunked, true
	}
	out.Close = r.closeIt
	r.c.take(h1.AppendAnswer(r.c.room(), x.Request.Proto, status, fields, x.ResponseEdits, out))
	r.rec.Status = status
}

// sendBody sends a part of the answer's body.
func (r *run) sendBody(b []byte) {
	if len(b) == 0 || r.bodyless {
		return
	}
	r.rec.Sent += int64(len(b))
	if r.chunked {
		r.c.take(h1.AppendChunkHead(r.c.room(), len(b)))
		r.c.send(b)
		r.c.send(crlf)
		return
	}
	r.c.send(b)
}

var crlf = []byte("\r\n")

// endBody ends a body in chunks.
func (r *run) endBody(trailers exchange.Fields) {
	if r.chunked && !r.bodyless {
		r.c.take(h1.AppendChunkEnd(r.c.room(), trailers))
	}
}
