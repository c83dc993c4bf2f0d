package h2

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/http2"

	"github.com/unilb/unilb/impl/exchange"
)

// conversations are what clients say behind preface and SETTINGS: what the tests of
// splitting, and the fuzzers, begin with.
func conversations() map[string][]byte {
	out := map[string][]byte{}
	add := func(name string, f func(w *wire)) {
		w := newWire()
		f(w)
		out[name] = w.take()
	}
	browser := with(":path: /api/v1/items/123?x=1", "user-agent: Mozilla/5.0 (X11; Linux x86_64)", "accept: text/html,*/*;q=0.8", "accept-encoding: gzip, deflate, br",
		"cookie: sid=0123456789abcdef", "cookie: theme=dark", "x-empty: ")
	add("requests", func(w *wire) {
		w.headers(1, true, get...).headers(3, true, browser...).headers(5, true, browser...).headers(7, true, with(":path: /other")...)
	})
	add("literals", func(w *wire) {
		w.Write(framed(1, true, unindexed(browser)))
		w.Write(framed(3, true, append(w.encode(get...), unindexed([]string{"x-b: c", "x-d: e"})...)))
		w.raw(kindHeaders, flagEndHeaders|flagEndStream, 5, string(w.encode(with("x-kept: 1")...))+"\x0f\x2f\x01v\x10\x01a\x01b\x7e\x01w")
	})
	add("sizes of the table", func(w *wire) {
		w.headers(1, true, browser...)
		w.enc.SetMaxDynamicTableSize(100)
		w.headers(3, true, browser...)
		w.enc.SetMaxDynamicTableSize(0)
		w.enc.SetMaxDynamicTableSize(4096)
		w.headers(5, true, browser...).headers(7, true, browser...)
	})
	add("bodies", func(w *wire) {
		w.headers(1, false, append(slices.Clone(post), "content-length: 11")...).headers(3, false, post...)
		w.data(1, false, "hello ").data(3, false, "other").raw(kindData, flagPadded, 1, "\x03worl\x00\x00\x00").data(3, true, "").raw(kindData, flagPadded|flagEndStream, 1, "\x00d")
		w.headers(5, false, post...).raw(kindData, flagPadded, 5, "\x00").raw(kindData, flagPadded|flagEndStream, 5, "\x01\x00")
	})
	add("trailers", func(w *wire) {
		w.headers(1, false, append(slices.Clone(post), "trailer: x-sum")...).data(1, false, "body").headers(1, true, "x-sum: 1", "x-more: "+strings.Repeat("m", 50))
		w.headers(3, false, post...).headers(3, true, "x-sum: 1").headers(5, true, with("x-sum: 1")...)
	})
	add("large bodies", func(w *wire) {
		w.headers(1, false, post...)
		for range 4 {
			w.data(1, false, strings.Repeat("0123456789abcdef", 1000))
		}
		w.data(1, true, "end")
	})
	add("continuation", func(w *wire) {
		b := w.encode(with("x: " + strings.Repeat("y", 60))...)
		w.raw(kindHeaders, flagPadded|flagPriority|flagEndStream, 1, "\x02\x00\x00\x00\x00\x10"+string(b[:9])+"\x00\x00")
		w.raw(kindContinuation, 0, 1, string(b[9:10])).raw(kindContinuation, 0, 1, "").raw(kindContinuation, flagEndHeaders, 1, string(b[10:]))
	})
	add("control frames", func(w *wire) {
		w.raw(kindPing, 0, 0, "12345678").raw(kindPriority, 0, 3, "\x00\x00\x00\x00\x10").raw(0x42, 0xff, 0, "unknown").window(0, 1000)
		must(w.f.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 7}, http2.Setting{ID: http2.SettingHeaderTableSize, Val: 0}))
		w.headers(1, true, get...).window(1, 3).reset(1).window(1, 3).reset(1).raw(kindGoAway, 0, 0, "\x00\x00\x00\x00\x00\x00\x00\x00why").headers(3, true, get...)
	})
	add("malformed requests", func(w *wire) {
		w.headers(1, true, with("te: x")...).headers(3, false, with("X: y")...).data(3, true, "x").headers(5, true, with(":path: ")...).headers(7, true, with(":path: /%zz")...)
		w.headers(9, true, with("content-length: 5")...).headers(11, false, append(slices.Clone(post), "content-length: 2")...).data(11, true, "abc").headers(13, true, get...)
		w.headers(15, true, append(slices.Clone(get), slices.Repeat([]string{"x: y"}, 97)...)...).headers(17, false, with("x: a\x00")...).headers(17, true, "x: y").headers(19, true, get...)
	})
	add("broken streams", func(w *wire) {
		w.headers(1, true, get...).data(1, false, "x").headers(3, false, post...).headers(3, false, "x: y").headers(5, false, post...).raw(kindWindowUpdate, 0, 5, "\x00\x00\x00\x00")
		w.headers(7, false, post...).window(7, 1<<31-1).headers(9, false, post...).headers(9, true, ":path: /").headers(11, true, get...)
	})
	for name, f := range map[string]func(w *wire){
		"an even stream": func(w *wire) { w.headers(2, true, get...) }, "an old stream": func(w *wire) { w.headers(5, true, get...).headers(3, true, get...) },
		"data behind a reset": func(w *wire) { w.headers(1, false, post...).reset(1).data(1, true, "x") }, "a broken block": func(w *wire) { w.raw(kindHeaders, flagEndHeaders, 1, "\x82\xff\x7f") },
		"a push": func(w *wire) { w.raw(kindPush, flagEndHeaders, 1, "\x00\x00\x00\x02") }, "padding": func(w *wire) { w.headers(1, false, post...).raw(kindData, flagPadded, 1, "\x05abcd") },
		"an interrupted block": func(w *wire) { w.raw(kindHeaders, 0, 1, "\x82").raw(kindData, 0, 1, "x") },
		"a large frame":        func(w *wire) { w.headers(1, false, post...).data(1, true, strings.Repeat("x", frameSize+1)) },
		"a window that is overrun": func(w *wire) {
			w.headers(1, false, post...)
			for range 17 {
				w.data(1, false, strings.Repeat("x", frameSize))
			}
		},
	} {
		add(name, f)
	}
	return out
}

// A told is what came of a conversation.
type told struct {
	log, sent []string
	err       string
}

// converse feeds the pieces to a machine whose owner answers all kinds of things, and
// uses up bodies at their end, so that windows do not depend on the pieces.
func converse(pieces ...[]byte) told {
	m := newMachine(Options{})
	got := map[uint32]int{}
	m.onData = func(s *Stream, b []byte, end bool) {
		if got[s.ID()] += len(b); end {
			s.Consumed(got[s.ID()])
			s.Answer(200, fields("Server: us"), nil, Answer{Length: 3})
			s.Data([]byte("yes"), true)
		}
	}
	m.handle = func(s *Stream, _ *exchange.Exchange, h Head) {
		if h.End && s.ID()%4 == 3 {
			s.Answer(404, nil, nil, Answer{Length: NoLength, End: true})
		}
	}
	w := newWire().greet()
	must(w.f.WriteSettingsAck())
	m.feed(w.take())
	for _, p := range pieces {
		m.feed(p)
	}
	t := told{log: m.log, sent: m.sent()}
	if m.err != nil {
		t.err = m.err.Error()
	}
	return t
}

func (a told) differs(b told) bool {
	return !slices.Equal(a.log, b.log) || !slices.Equal(a.sent, b.sent) || a.err != b.err
}

func TestItDoesNotMatterInWhichPiecesBytesArrive(t *testing.T) {
	for name, b := range conversations() {
		want := converse(b)
		if len(want.log) == 0 && want.err == "" {
			t.Errorf("%s: nothing happens", name)
		}
		for i := 0; i <= len(b); i += 1 + len(b)/2000 { // of long ones a sample
			if got := converse(b[:i], b[i:]); got.differs(want) {
				t.Errorf("%s cut at %d: got %q, want %q", name, i, got, want)
				break
			}
		}
		if len(b) < 5000 {
			if got := converse(slices.Collect(slices.Chunk(b, 1))...); got.differs(want) {
				t.Errorf("%s byte by byte: got %q, want %q", name, got, want)
			}
		}
		const seed = 11
		rnd := rand.New(rand.NewPCG(seed, 0))
		for range 8 {
			n := 1 + rnd.IntN(len(b))
			if got := converse(slices.Collect(slices.Chunk(b, n))...); got.differs(want) {
				t.Errorf("%s in pieces of %d (seed %d): got %q, want %q", name, n, seed, got, want)
			}
		}
	}
}

func TestConversationsEndAsTheyShould(t *testing.T) {
	for name, want := range map[string]string{"requests": "", "literals": "", "sizes of the table": "", "bodies": "", "trailers": "", "large bodies": "", "continuation": "",
		"control frames": "", "malformed requests": "", "broken streams": "", "an even stream": "stream_id", "an old stream": "stream_id", "data behind a reset": "stream_closed",
		"a broken block": "compression", "a push": "push", "padding": "padding", "an interrupted block": "sequence", "a large frame": "frame_size", "a window that is overrun": ""} {
		got := converse(conversations()[name])
		if want == "" && got.err != "" || !strings.Contains(got.err, want) {
			t.Errorf("%s: got %q, want %q", name, got.err, want)
		}
	}
	if !slices.Contains(converse(conversations()["a window that is overrun"]).log, "reset 1: window FLOW_CONTROL_ERROR") {
		t.Error("the window may be overrun")
	}
}
