package echo

import (
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"net/http"

	"github.com/unilb/unilb/sim/history"
)

// A payload is what a server has to say, before it is framed.
type payload struct {
	status int
	kind   string // media type
	body   []byte // as announced
	sent   []byte // of it: none in answer to HEAD
}

func payloadOf(q *head, b Behaviour, a Answer) (payload, error) {
	p := payload{status: cmp.Or(b.Status, http.StatusOK), kind: "application/json"}
	if b.Size > 0 {
		p.kind, p.body = "application/octet-stream", Pattern(b.Size)
	} else {
		body, err := json.Marshal(a)
		if err != nil {
			return p, err
		}
		p.body = append(body, '\n')
	}
	if bodySent(q, p.status) {
		p.sent = p.body
	}
	return p, nil
}

func (p payload) record() *history.Answer {
	r := &history.Answer{Status: p.status, BodyLen: int64(len(p.sent))}
	if len(p.sent) > 0 {
		r.BodySum = history.Sum(sha256.Sum256(p.sent))
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
