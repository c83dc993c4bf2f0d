package h1

import (
	"fmt"
	"slices"
	"strings"

	"github.com/unilb/unilb/impl/exchange"
)

// A reading follows one side of a connection as an engine does: heads, bodies, and
// what comes of them. Each piece arrives in memory of its own, and what lay there
// before is overwritten, so that a view that outlives its bytes shows.
type reading struct {
	kind   Kind
	method string // that the answers belong to
	scan   Scan
	body   Body
	inBody bool
	buf    []byte

	got []message
	err error
}

type message struct {
	Method, Target, Path, Query, Authority, Host string
	Status                                       int
	Fields, Trailers                             exchange.Fields
	Framing                                      Framing
	Length                                       int64 // BodyLength
	Body                                         string
	Whole                                        bool
}

func newReading(kind Kind) *reading { return &reading{kind: kind, method: "GET"} }

// read feeds the pieces and returns the reading.
func read(kind Kind, pieces ...string) *reading {
	r := newReading(kind)
	for _, p := range pieces {
		r.feed(p)
	}
	return r
}

func (r *reading) feed(piece string) {
	if r.err != nil {
		return
	}
	old := r.buf
	r.buf = append(append(make([]byte, 0, len(old)+len(piece)), old...), piece...)
	for i := range old {
		old[i] = '?'
	}
	for r.err == nil && r.step() {
	}
}

// step tells whether there is more to do with what is there.
func (r *reading) step() bool {
	if r.inBody {
		return r.bodyStep()
	}
	n, err := r.scan.Head(r.buf, MaxHead, r.kind)
	if n == 0 || err != nil {
		r.err = err
		return false
	}
	m, err := r.parse(r.buf[:n])
	if err != nil {
		r.err = err
		return false
	}
	r.got = append(r.got, m)
	r.buf, r.scan, r.inBody = r.buf[n:], Scan{}, true
	r.body.Begin(m.Framing.Length)
	return true
}

func (r *reading) parse(head []byte) (message, error) {
	var x exchange.Exchange
	var f Framing
	if r.kind == Answer {
		if err := ParseAnswer(head, r.method, &x.Response, &f); err != nil {
			return message{}, err
		}
		return message{Status: x.Response.Status, Fields: cloned(x.Response.Fields), Framing: clonedFraming(f), Length: x.Response.BodyLength}, nil
	}
	q := &x.Request
	if err := ParseRequest(head, q, &x.Arena, &f); err != nil {
		return message{}, err
	}
	x.Own()
	c := strings.Clone
	return message{Method: c(q.Method), Target: c(q.Target), Path: c(q.Path), Query: c(q.Query), Authority: c(q.Authority), Host: c(q.Host),
		Fields: cloned(q.Fields), Framing: clonedFraming(f), Length: q.BodyLength}, nil
}

func (r *reading) bodyStep() bool {
	m := &r.got[len(r.got)-1]
	data, n, done, err := r.body.Next(r.buf)
	m.Body += string(data)
	r.buf, r.err = r.buf[n:], err
	if done {
		m.Whole, m.Trailers, r.inBody = true, cloned(r.body.Trailers()), false
	}
	return done && len(r.buf) > 0 || !done && n > 0
}

func cloned(fields exchange.Fields) exchange.Fields {
	var out exchange.Fields
	for _, f := range fields {
		out = append(out, exchange.Field{Name: strings.Clone(f.Name), Value: strings.Clone(f.Value)})
	}
	return out
}

func clonedFraming(f Framing) Framing {
	f.Upgrade, f.Trailer = strings.Clone(f.Upgrade), strings.Clone(f.Trailer)
	return f
}

// String is all that was read, for comparison.
func (r *reading) String() string {
	var out []string
	for _, m := range r.got {
		out = append(out, fmt.Sprintf("%+v", m))
	}
	return fmt.Sprintf("%s; error %v; %q behind", out, r.err, r.rest())
}

// rest is what nobody has read. What lies behind an error is none of our business.
func (r *reading) rest() string {
	if r.err != nil {
		return ""
	}
	return string(r.buf)
}

// pieces cuts s at these places.
func pieces(s string, at ...int) []string {
	var out []string
	slices.Sort(at)
	last := 0
	for _, i := range at {
		out = append(out, s[last:i])
		last = i
	}
	return append(out, s[last:])
}
