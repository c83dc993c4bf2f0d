package echo

import (
	"cmp"
	"crypto/sha256"
	"net/http"
	"sync/atomic"

	"github.com/unilb/unilb/sim/history"
)

// A payload is what a server has to say, before it is framed.
type payload struct {
	status  int
	backend string
	op      string
	vni     uint32
	last    bool   // the connection ends after it
	kind    string // media type
	body    []byte // as announced
	sent    []byte // of it: none in answer to HEAD
}

func (s *Server) payloadOf(c *conn, q *request, b Behaviour, id string, seen history.Request) payload {
	p := payload{status: cmp.Or(b.Status, http.StatusOK), backend: string(s.o.Ref), op: id, vni: s.o.VNI, last: q.close(), kind: "application/json"}
	if b.Size > 0 {
		p.kind, p.body = "application/octet-stream", pattern(b.Size)
	} else {
		c.json = appendAnswer(c.json[:0], Answer{Backend: s.o.Ref, VNI: s.o.VNI, Op: id, From: c.from, Local: c.local, Seen: seen})
		p.body = c.json
	}
	if bodySent(q, p.status) {
		p.sent = p.body
	}
	return p
}

// answer is what the record says of a response: what a client must get from it
// when it gets a complete response at all. A body that ends early counts in full,
// and one that can never be complete has no digest, so that nobody passes off a
// part of it as the whole.
func (p payload) answer(b Behaviour) *history.Answer {
	if b.Hang || b.Reset == ResetHead || b.Close == CloseHead || b.Garbage > 0 {
		return nil // nothing of a response is written
	}
	r := &history.Answer{Status: p.status, BodyLen: int64(len(p.sent))}
	if len(p.sent) == 0 {
		return r
	}
	whole := p.sent
	switch {
	case b.LengthOff == 0:
	case b.Chunked || b.LengthOff > 0:
		r.BodyLen += int64(max(0, b.LengthOff))
		return r
	default: // the peer must stop at the announced length
		whole = p.sent[:p.announced(b)]
		r.BodyLen = int64(len(whole))
	}
	if len(whole) > 0 {
		r.BodySum = history.Sum(sha256.Sum256(whole))
	}
	return r
}

// Pattern is n bytes in which no two parts of a few hundred bytes are alike, so
// that nobody can drop, repeat or swap parts unseen. It is the body that
// HeaderSize asks for.
func Pattern(n int) []byte {
	b := make([]byte, n)
	x := uint32(1)
	for i := range b {
		x ^= x << 13 // xorshift: the same at every place and time
		x ^= x >> 17
		x ^= x << 5
		b[i] = 'a' + byte(x%26)
	}
	return b
}

// maxReady is the longest pattern that is kept ready, in bytes: making a mebibyte
// takes milliseconds.
const maxReady = 4 << 20

var ready atomic.Pointer[[]byte]

// pattern is Pattern(n) to read only: a shorter one is the beginning of a longer
// one.
func pattern(n int) []byte {
	if b := ready.Load(); b != nil && len(*b) >= n {
		return (*b)[:n:n]
	}
	b := Pattern(n)
	if n <= maxReady {
		ready.Store(&b)
	}
	return b
}
