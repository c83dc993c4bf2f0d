package h2

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/unilb/unilb/impl/exchange"
)

// taken is a request as it was accepted.
type taken struct {
	id                     uint32
	method, path, host     string
	fields                 exchange.Fields
	body                   []byte
	ended, trailed, broken bool
}

// taking reads b and returns the requests that were accepted.
func taking(pieces ...[]byte) (out []*taken, err error) {
	m := newMachine(Options{})
	by := map[uint32]*taken{}
	m.handle = func(s *Stream, x *exchange.Exchange, h Head) {
		r := &x.Request
		q := &taken{id: s.ID(), method: r.Method, path: r.Target, host: r.Authority, fields: slices.Clone(r.Fields), ended: h.End}
		by[s.ID()] = q
		out = append(out, q)
	}
	m.onData = func(s *Stream, b []byte, end bool) {
		q := by[s.ID()]
		q.body, q.ended = append(q.body, b...), end
		s.Consumed(len(b))
	}
	m.onTrailers = func(s *Stream, _ exchange.Fields) { by[s.ID()].ended = true }
	m.onReset = func(s *Stream) { by[s.ID()].broken = true }
	w := newWire()
	m.feed(w.greet().take())
	for _, p := range pieces {
		m.feed(p)
	}
	return out, m.err
}

// twin reads the same by the library's framer, which sees heads, data and trailers, and
// leaves streams and windows to its caller.
func twin(b []byte) map[uint32]*taken {
	f := twinFramer(b)
	out := map[uint32]*taken{}
	for {
		fr, err := f.ReadFrame()
		var broken http2.StreamError
		if errors.As(err, &broken) {
			if q := out[broken.StreamID]; q != nil {
				q.broken = true
			}
			continue
		}
		if err != nil {
			return out
		}
		q := out[fr.Header().StreamID]
		switch fr := fr.(type) {
		case *http2.MetaHeadersFrame:
			switch {
			case q == nil:
				q = &taken{id: fr.StreamID, method: fr.PseudoValue("method"), path: fr.PseudoValue("path"), host: fr.PseudoValue("authority"), ended: fr.StreamEnded()}
				for _, x := range fr.RegularFields() {
					q.fields = append(q.fields, exchange.Field{Name: x.Name, Value: x.Value})
				}
				out[fr.StreamID] = q
			case !q.ended && !q.broken:
				q.ended, q.trailed = true, true
			}
		case *http2.DataFrame:
			if q != nil && !q.ended && !q.broken {
				q.body = append(q.body, fr.Data()...)
				q.ended = fr.StreamEnded()
			}
		case *http2.RSTStreamFrame:
			if q != nil {
				q.broken = true
			}
		}
	}
}

func twinFramer(b []byte) *http2.Framer {
	f := http2.NewFramer(nil, bytes.NewReader(b))
	f.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	f.MaxHeaderListSize = 1 << 20
	f.SetMaxReadFrameSize(frameSize)
	return f
}

// sameAsTwin: whatever we accept, the library reads alike.
func sameAsTwin(t *testing.T, b []byte) {
	t.Helper()
	if at := framesOf(b); len(at) > 0 { // the library waits for whole frames
		last := at[len(at)-1]
		if last+headerSize+readHeader(b[last:]).length > len(b) {
			b = b[:last]
		}
	}
	ours, _ := taking(b)
	theirs := twin(b)
	for _, q := range ours {
		w := theirs[q.id]
		if w == nil {
			t.Fatalf("we read %+v, the library nothing on that stream, of %q", q, b)
		}
		if host, ok := w.fields.Get("host"); ok && w.host == "" {
			w.host = host
		}
		want := withoutOurs(w.fields)
		target := w.path
		if w.method == "CONNECT" {
			target = w.host
		}
		if q.method != w.method || q.path != target || q.host != w.host || !slices.Equal(q.fields, want) {
			t.Fatalf("we read %+v, the library %+v with %q, of %q", q, w, want, b)
		}
		if !bytes.HasPrefix(w.body, q.body) || q.ended && !w.broken && (!w.ended || !bytes.Equal(q.body, w.body)) {
			t.Fatalf("we read the body %q (ended %v), the library %q (ended %v), of %q", q.body, q.ended, w.body, w.ended, b)
		}
	}
}

// withoutOurs leaves out what the pipeline does not see, and joins cookies.
func withoutOurs(in exchange.Fields) (out exchange.Fields) {
	cookie := -1
	for _, f := range in {
		switch f.Name {
		case "host", "content-length", "trailer":
		case "cookie":
			if cookie >= 0 {
				out[cookie].Value += "; " + f.Value
				continue
			}
			cookie = len(out)
			out = append(out, f)
		default:
			out = append(out, f)
		}
	}
	return out
}

// FuzzConversation holds what we accept to the library, and the reading in three
// pieces to that of the whole.
func FuzzConversation(f *testing.F) {
	for _, b := range conversations() {
		f.Add(b, uint16(len(b)/3), uint16(len(b)/2))
	}
	f.Fuzz(func(t *testing.T, b []byte, i, j uint16) {
		sameAsTwin(t, b)
		at := []int{int(i) % (len(b) + 1), int(j) % (len(b) + 1)}
		slices.Sort(at)
		if got, want := converse(b[:at[0]], b[at[0]:at[1]], b[at[1]:]), converse(b); got.differs(want) {
			t.Fatalf("cut at %v: got %q, want %q, of %q", at, got, want, b)
		}
	})
}

// blocks are header blocks to begin with.
func blocks() [][]byte {
	var out [][]byte
	w := newWire()
	for _, lines := range [][]string{get, with("x: y", "x: y", "cookie: a"), with("x: y"), with("x-kept: 1")} {
		out = append(out, w.encode(lines...), unindexed(lines))
	}
	return append(out, []byte("\x20\x3f\xe1\x1f\x82\x40\x01a\x01b\xbe\x0f\x2f\x01v\x7e\x00"), []byte("\x00\x83\x1c\x64\x9f\x01b"), []byte("\x1f\x2f\x82\x1c\x64"), []byte("\x8f\xff\x80\x00"))
}

// FuzzBlock: a header block that we decode the library decodes alike, and its table is
// the same afterwards.
func FuzzBlock(f *testing.F) {
	for _, b := range blocks() {
		f.Add(b, b)
	}
	f.Fuzz(sameBlocks)
}

func sameBlocks(t *testing.T, first, second []byte) {
	srv, other := New(Options{}), New(Options{})
	dec := hpack.NewDecoder(ourTableSize, srv.emit)
	lib := hpack.NewDecoder(ourTableSize, nil)
	for _, b := range [][]byte{first, second, []byte("\x82\x86\xbe\xbf\xc0")} {
		var x, y exchange.Exchange
		k, l := &srv.block, &other.block
		k.begin(nil, &x.Arena, 1<<20)
		why := k.decode(dec, b)
		if why != NoReason {
			return // the library may take more
		}
		want, err := lib.DecodeFull(b)
		if err != nil {
			t.Fatalf("the library refuses %q: %v; we read %q", b, err, k.fields)
		}
		l.begin(nil, &y.Arena, 1<<20)
		l.dec = lib
		for _, f := range want {
			if l.bad == NoReason {
				l.take(f.Name, f.Value)
			}
		}
		lib.SetEmitEnabled(true)
		if k.bad != l.bad || k.heard != l.heard || !slices.Equal(k.fields, l.fields) {
			t.Fatalf("the library reads %q: %q, %+v, %v; we %q, %+v, %v of %q", want, l.fields, l.heard, l.bad, k.fields, k.heard, k.bad, b)
		}
	}
}

// TestRandomMutationsAgreeWithTheTwin is the fuzzers' work in a fixed amount, with
// mutations that know frames.
func TestRandomMutationsAgreeWithTheTwin(t *testing.T) {
	var all [][]byte
	for _, b := range conversations() {
		if len(b) < 4000 {
			all = append(all, b)
		}
	}
	slices.SortFunc(all, bytes.Compare) // or the seed means nothing
	const seed, rounds = 5, 8000
	rnd := rand.New(rand.NewPCG(seed, 0))
	accepted := 0
	for i := range rounds {
		b := slices.Clone(all[rnd.IntN(len(all))])
		for range 1 + rnd.IntN(3) {
			b = mutated(rnd, b, all)
		}
		sameAsTwin(t, b)
		if ours, err := taking(b); err == nil && len(ours) > 0 {
			accepted++
		}
		at := rnd.IntN(len(b) + 1)
		if got, want := converse(b[:at], b[at:]), converse(b); got.differs(want) {
			t.Fatalf("seed %d, round %d, cut at %d: got %q, want %q, of %q", seed, i, at, got, want, b)
		}
		if block := blocks(); i%4 == 0 {
			sameBlocks(t, flipped(rnd, block[rnd.IntN(len(block))]), flipped(rnd, block[rnd.IntN(len(block))]))
		}
	}
	if accepted < rounds/20 {
		t.Errorf("only %d of %d mutations are accepted: they show nothing", accepted, rounds)
	}
}

// framesOf returns where the frames of b begin.
func framesOf(b []byte) (at []int) {
	for i := 0; i+headerSize <= len(b); i += headerSize + readHeader(b[i:]).length {
		at = append(at, i)
	}
	return at
}

func flipped(rnd *rand.Rand, b []byte) []byte {
	b = slices.Clone(b)
	for range rnd.IntN(3) {
		b[rnd.IntN(len(b))] = byte(rnd.IntN(256))
	}
	return b
}

func mutated(rnd *rand.Rand, b []byte, all [][]byte) []byte {
	at := framesOf(b)
	if len(at) == 0 {
		return b
	}
	i := at[rnd.IntN(len(at))]
	end := min(len(b), i+headerSize+readHeader(b[i:]).length)
	frame := slices.Clone(b[i:end])
	switch rnd.IntN(7) {
	case 0: // a flag
		b[i+4] ^= 1 << rnd.IntN(8)
	case 1: // a stream
		b[i+8] = byte(rnd.IntN(20))
	case 2: // a kind
		b[i+3] = byte(rnd.IntN(11))
	case 3: // a byte of the payload
		if len(frame) > headerSize {
			b[i+headerSize+rnd.IntN(len(frame)-headerSize)] = byte(rnd.IntN(256))
		}
	case 4: // say twice
		return slices.Insert(b, end, frame...)
	case 5: // leave out
		return slices.Delete(b, i, end)
	case 6: // one of another conversation
		other := all[rnd.IntN(len(all))]
		if from := framesOf(other); len(from) > 0 {
			k := from[rnd.IntN(len(from))]
			return slices.Insert(b, end, other[k:min(len(other), k+headerSize+readHeader(other[k:]).length)]...)
		}
	}
	return b
}

func (q *taken) String() string { return fmt.Sprintf("%+v", *q) }
