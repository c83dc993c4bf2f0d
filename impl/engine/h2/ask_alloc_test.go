package h2

import (
	"encoding/binary"
	"testing"

	"github.com/unilb/unilb/impl/exchange"
)

// quiet is an asker that takes no memory.
type quiet struct {
	c    *Conn
	out  []byte
	x    exchange.Exchange
	body []byte
	done int
}

func newQuiet(t testing.TB) *quiet {
	o := &quiet{out: make([]byte, 0, 64<<10), body: make([]byte, 128)}
	o.x.Reset(0, nil)
	r := &o.x.Request
	r.Method, r.Target, o.x.Plan.Host = "POST", "/echo.Service/Call", "shop.example:8443"
	r.Fields = fields("Content-Type: application/grpc", "User-Agent: grpc-go/1.60.0", "Grpc-Timeout: 1S", "X-Request-Id: 0123456789", "TE: trailers", "Accept-Encoding: gzip")
	o.x.RequestEdits.Set("X-Forwarded-Proto", "http")
	o.x.RequestEdits.Remove("Connection")
	o.c = NewClient(Options{}).Conn(o, o)
	w := newWire()
	o.feed(t, w.settle().take())
	return o
}

func (o *quiet) feed(t testing.TB, b []byte) {
	if n, err := o.c.Feed(0, b); err != nil || n != len(b) {
		t.Fatalf("got %d of %d, %v", n, len(b), err)
	}
	o.out = o.out[:0]
}

func (o *quiet) Room() []byte                      { return o.out }
func (o *quiet) Take(b []byte)                     { o.out = b }
func (o *quiet) Waiting() int                      { return len(o.out) }
func (o *quiet) Interim(*Stream)                   {}
func (o *quiet) Answer(*Stream, AnswerHead)        {}
func (o *quiet) Data(s *Stream, b []byte, _ bool)  { s.Consumed(len(b)) }
func (o *quiet) Trailers(*Stream, exchange.Fields) { o.done++ }
func (o *quiet) Reset(*Stream, Error)              {}
func (o *quiet) Writable(*Stream)                  {}

// TestNothingIsAllocatedForARequestToATarget is the gate of the client's side: requests
// with bodies, and answers with bodies and trailers, take no memory once slices and
// tables have grown.
func TestNothingIsAllocatedForARequestToATarget(t *testing.T) {
	o := newQuiet(t)
	w := newWire()
	say := func() []byte {
		return w.headers(1, false, status200, "content-type: application/grpc", "x-a: b").data(1, false, "answer").headers(1, true, "grpc-status: 0").window(0, 128).take()
	}
	first := say()
	again := say()
	next := 0
	once := func() {
		b := again
		if next == 0 {
			b = first
		}
		next++
		s := o.c.Request(&o.x, Ask{Scheme: "http", Length: NoLength})
		if n := s.Data(o.body, true); n != len(o.body) {
			t.Fatalf("took %d bytes", n)
		}
		for at := 0; at < len(b); { // the frames of the stream are this one's
			h := readHeader(b[at:])
			if h.stream != 0 {
				binary.BigEndian.PutUint32(b[at+5:], s.ID())
			}
			at += headerSize + h.length
		}
		o.feed(t, b)
	}
	once()
	once()
	if n := testing.AllocsPerRun(300, once); n != 0 && !raceEnabled {
		t.Errorf("got %v allocations, want 0", n)
	}
	if o.done != 303 || o.c.Streams() != 0 {
		t.Errorf("got %d answers, want 303; %d streams", o.done, o.c.Streams())
	}
}

func BenchmarkRequestToTarget(b *testing.B) {
	o := newQuiet(b)
	b.ReportAllocs()
	for b.Loop() {
		s := o.c.Request(&o.x, Ask{Scheme: "http", Length: NoLength})
		s.Data(o.body[:100], true)
		s.Reset(Cancel)
		o.c.send, o.out = 1<<20, o.out[:0]
	}
}
