package h2

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/http2"

	"github.com/unilb/unilb/impl/exchange"
)

// replies are what targets say behind their SETTINGS to three requests: a GET on stream 1,
// a POST on 3 whose body goes on, and a HEAD on 5.
func replies() map[string][]byte {
	out := map[string][]byte{}
	add := func(name string, f func(w *wire)) {
		w := newWire()
		f(w)
		out[name] = w.take()
	}
	add("answers", func(w *wire) {
		w.headers(1, false, status200, "content-type: text/plain", "content-length: 5").data(1, false, "hel").data(3, false, "").data(1, true, "lo")
		w.headers(3, false, ":status: 404", "x: y", "set-cookie: a", "set-cookie: b").data(3, true, "").headers(5, true, status200, "content-length: 9")
	})
	add("gRPC", func(w *wire) {
		w.headers(3, false, status200, "content-type: application/grpc").data(3, false, "message").window(3, 100).window(0, 100).raw(kindPing, 0, 0, "12345678").data(3, false, "two")
		w.headers(3, true, "grpc-status: 0", "grpc-message: fine").headers(1, true, status200, "grpc-status: 12")
	})
	add("interim", func(w *wire) {
		w.headers(1, false, ":status: 103", "link: </a>").headers(1, false, ":status: 100").headers(1, true, ":status: 204")
	})
	add("literals", func(w *wire) {
		w.Write(framed(1, false, unindexed([]string{status200, "x-a: b", "x-empty: ", "trailer: x-t"})))
		w.data(1, false, "b").Write(framed(1, true, unindexed([]string{"x-t: " + strings.Repeat("1", 200)})))
	})
	add("pieces", func(w *wire) {
		b := string(w.encode(status200, "x: "+strings.Repeat("y", 60)))
		w.raw(kindHeaders, flagPadded|flagPriority, 1, "\x02\x00\x00\x00\x00\x10"+b[:9]+"\x00\x00").raw(kindContinuation, 0, 1, b[9:10]).raw(kindContinuation, flagEndHeaders, 1, b[10:])
		w.raw(kindData, flagPadded|flagEndStream, 1, "\x03body\x00\x00\x00")
	})
	add("resets", func(w *wire) {
		must(w.f.WriteRSTStream(1, http2.ErrCodeRefusedStream))
		w.headers(3, false, status200).data(3, true, "early")
		must(w.f.WriteRSTStream(3, http2.ErrCodeNo))
		w.headers(5, true, status200)
	})
	add("leaving", func(w *wire) {
		w.headers(1, false, status200).raw(kindGoAway, 0, 0, "\x00\x00\x00\x03\x00\x00\x00\x00bye").data(1, true, "x").headers(3, true, status200)
	})
	add("malformed", func(w *wire) {
		w.headers(1, true, "x: y").headers(3, false, status200, "content-length: 1").data(3, true, "22").headers(5, false, status200).data(5, false, "x")
	})
	add("an even stream", func(w *wire) { w.headers(1, false, status200).headers(2, true, status200) })
	add("a broken block", func(w *wire) { w.raw(kindHeaders, flagEndHeaders, 1, "\xff\xff\xff\xff") })
	add("settings", func(w *wire) {
		w.greetless(http2.Setting{ID: http2.SettingMaxConcurrentStreams, Val: 1}, http2.Setting{ID: http2.SettingInitialWindowSize, Val: 3}).headers(1, true, status200)
	})
	return out
}

func (w *wire) greetless(s ...http2.Setting) *wire {
	must(w.f.WriteSettings(s...))
	return w
}

// answered is what came of a conversation with a target.
type answered struct {
	log, sent []string
	err       string
}

// ours feeds the pieces to a connection that has made the three requests.
func ours(pieces ...[]byte) answered {
	m, _ := standing(Options{})
	m.ask()
	up := m.upload()
	up.Data([]byte("begin"), false)
	m.c.Request(asking("HEAD", "/", "a.example"), Ask{Length: NoLength, End: true})
	m.sent()
	for _, p := range pieces {
		m.feed(p)
	}
	a := answered{log: m.log, sent: m.sent()}
	if m.err != nil {
		a.err = m.err.Error()
	}
	return a
}

func (a answered) differs(b answered) bool {
	return a.err != b.err || !slices.Equal(a.log, b.log) || !slices.Equal(a.sent, b.sent)
}

func TestEverySplitOfAReplyReadsAlike(t *testing.T) {
	for name, b := range replies() {
		want := ours(b)
		for i := range len(b) + 1 {
			if got := ours(b[:i], b[i:]); got.differs(want) {
				t.Fatalf("%s, cut at %d: got %q, want %q", name, i, got, want)
			}
		}
		single := make([][]byte, len(b))
		for i := range b {
			single[i] = b[i : i+1]
		}
		if got := ours(single...); got.differs(want) {
			t.Fatalf("%s, byte by byte: got %q, want %q", name, got, want)
		}
	}
	for name, want := range map[string]string{"answers": "", "gRPC": "", "malformed": "", "leaving": "", "an even stream": "stream_id", "a broken block": "compression"} {
		if got := ours(replies()[name]); want == "" && got.err != "" || !strings.Contains(got.err, want) {
			t.Errorf("%s: got %q, want %q", name, got.err, want)
		}
	}
}

// reply is an answer as it was taken.
type reply struct {
	status         string
	fields         exchange.Fields
	body           []byte
	ended, trailed bool
}

// taken by us.
func repliesTaken(b []byte) map[uint32]*reply {
	m, _ := standing(Options{})
	out := map[uint32]*reply{}
	m.onAnswer = func(s *Stream) {
		r := &reply{status: fmt.Sprint(s.x.Response.Status), ended: s.Whole()}
		for _, f := range s.x.Response.Fields {
			r.fields = append(r.fields, exchange.Field{Name: strings.Clone(f.Name), Value: strings.Clone(f.Value)})
		}
		out[s.ID()] = r
	}
	m.onData = func(s *Stream, b []byte, end bool) {
		r := out[s.ID()]
		r.body, r.ended = append(r.body, b...), end
		s.Consumed(len(b))
	}
	m.onTrailers = func(s *Stream) { out[s.ID()].ended, out[s.ID()].trailed = true, true }
	m.onReset = func(s *Stream, _ Error) { delete(out, s.ID()) } // not taken
	m.ask()
	m.upload()
	m.c.Request(asking("HEAD", "/", "a.example"), Ask{Length: NoLength, End: true})
	m.feed(b)
	return out
}

// repliesOfTwin reads the same by the library's framer, which sees heads, data and
// trailers, and checks fields.
func repliesOfTwin(b []byte) map[uint32]*reply {
	w := newWire()
	w.greetless().Write(b)
	f := twinFramer(w.take())
	out := map[uint32]*reply{}
	for {
		fr, err := f.ReadFrame()
		if errors.As(err, new(http2.StreamError)) {
			continue
		}
		if err != nil {
			return out
		}
		r := out[fr.Header().StreamID]
		switch fr := fr.(type) {
		case *http2.MetaHeadersFrame:
			if r != nil {
				r.ended, r.trailed = r.ended || fr.StreamEnded(), true
				continue
			}
			r = &reply{status: fr.PseudoValue("status"), ended: fr.StreamEnded()}
			if strings.HasPrefix(r.status, "1") {
				continue
			}
			for _, x := range fr.RegularFields() {
				if x.Name != "content-length" && x.Name != "trailer" {
					r.fields = append(r.fields, exchange.Field{Name: x.Name, Value: x.Value})
				}
			}
			out[fr.StreamID] = r
		case *http2.DataFrame:
			if r != nil && !r.ended {
				r.body = append(r.body, fr.Data()...)
				r.ended = fr.StreamEnded()
			}
		}
	}
}

// repliesLikeTwin: whatever we take whole, the library reads alike.
func repliesLikeTwin(t *testing.T, b []byte) (whole int) {
	t.Helper()
	if at := framesOf(b); len(at) > 0 { // the library waits for whole frames
		if last := at[len(at)-1]; last+headerSize+readHeader(b[last:]).length > len(b) {
			b = b[:last]
		}
	}
	theirs := repliesOfTwin(b)
	for id, r := range repliesTaken(b) {
		w := theirs[id]
		if w == nil || r.status != w.status || !slices.Equal(r.fields, w.fields) || !bytes.HasPrefix(w.body, r.body) || r.ended && (!w.ended || !bytes.Equal(r.body, w.body)) {
			t.Fatalf("stream %d: we read %+v, the library %+v, of %q", id, r, w, b)
		}
		if r.ended {
			whole++
		}
	}
	return whole
}

// FuzzReply holds what we take of a target to the library, and the reading in three
// pieces to that of the whole.
func FuzzReply(f *testing.F) {
	for _, b := range replies() {
		f.Add(b, uint16(len(b)/3), uint16(len(b)/2))
	}
	f.Fuzz(func(t *testing.T, b []byte, i, j uint16) {
		repliesLikeTwin(t, b)
		at := []int{int(i) % (len(b) + 1), int(j) % (len(b) + 1)}
		slices.Sort(at)
		if got, want := ours(b[:at[0]], b[at[0]:at[1]], b[at[1]:]), ours(b); got.differs(want) {
			t.Fatalf("cut at %v: got %q, want %q, of %q", at, got, want, b)
		}
	})
}

// TestRandomRepliesAgreeWithTheTwin is the fuzzer's work in a fixed amount, with mutations
// that know frames.
func TestRandomRepliesAgreeWithTheTwin(t *testing.T) {
	var all [][]byte
	for _, b := range replies() {
		all = append(all, b)
	}
	slices.SortFunc(all, bytes.Compare) // or the seed means nothing
	const seed, rounds = 7, 6000
	rnd := rand.New(rand.NewPCG(seed, 0))
	whole := 0
	for i := range rounds {
		b := slices.Clone(all[rnd.IntN(len(all))])
		for range 1 + rnd.IntN(3) {
			b = mutated(rnd, b, all)
		}
		whole += repliesLikeTwin(t, b)
		at := rnd.IntN(len(b) + 1)
		if got, want := ours(b[:at], b[at:]), ours(b); got.differs(want) {
			t.Fatalf("seed %d, round %d, cut at %d: got %q, want %q, of %q", seed, i, at, got, want, b)
		}
	}
	if whole < rounds/5 {
		t.Errorf("only %d answers of %d mutations are taken: they show nothing", whole, rounds)
	}
}
