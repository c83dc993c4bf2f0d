package h2

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/http2"

	"github.com/unilb/unilb/impl/exchange"
)

// TestFloodEndsTheConnection has a row for each kind of frames that cost us and bring
// nothing forward.
func TestFloodEndsTheConnection(t *testing.T) {
	open := func(w *wire) *wire { return w.headers(1, false, post...) }
	for name, c := range map[string]struct {
		want        Reason
		first, then func(w *wire, i int)
		bytes       int // that are enough
	}{
		"PING":                     {ReasonFlood, nil, func(w *wire, _ int) { w.raw(kindPing, 0, 0, "12345678") }, 0},
		"acknowledged PING":        {ReasonFlood, nil, func(w *wire, _ int) { w.raw(kindPing, flagAck, 0, "12345678") }, 0},
		"SETTINGS":                 {ReasonFlood, nil, func(w *wire, _ int) { must(w.f.WriteSettings()) }, 0},
		"acknowledged SETTINGS":    {ReasonFlood, nil, func(w *wire, _ int) { must(w.f.WriteSettingsAck()) }, 0},
		"PRIORITY":                 {ReasonFlood, nil, func(w *wire, _ int) { w.raw(kindPriority, 0, 99, "\x00\x00\x00\x00\x10") }, 0},
		"unknown frames":           {ReasonFlood, nil, func(w *wire, _ int) { w.raw(99, 0, 0, "") }, 0},
		"WINDOW_UPDATE":            {ReasonFlood, nil, func(w *wire, _ int) { w.window(0, 1) }, 0},
		"GOAWAY":                   {ReasonFlood, nil, func(w *wire, _ int) { w.raw(kindGoAway, 0, 0, "12345678") }, 0},
		"WINDOW_UPDATE of streams": {ReasonFlood, func(w *wire, _ int) { open(w) }, func(w *wire, _ int) { w.window(1, 1) }, 0},
		"empty DATA":               {ReasonFlood, func(w *wire, _ int) { open(w) }, func(w *wire, _ int) { w.data(1, false, "") }, 0},
		"DATA of padding alone":    {ReasonFlood, func(w *wire, _ int) { open(w) }, func(w *wire, _ int) { w.raw(kindData, flagPadded, 1, "\x02\x00\x00") }, 0},
		"frames behind a reset":    {ReasonFlood, func(w *wire, _ int) { w.headers(1, true, with("te: x")...) }, func(w *wire, _ int) { w.headers(1, false, "x: y") }, 0},
		"late RST_STREAM":          {ReasonFlood, func(w *wire, _ int) { open(w).reset(1) }, func(w *wire, _ int) { w.reset(1) }, 0},
		"rapid reset":              {ReasonResets, nil, func(w *wire, i int) { w.headers(uint32(2*i+1), true, get...).reset(uint32(2*i + 1)) }, 0},
		"malformed requests":       {ReasonResets, nil, func(w *wire, i int) { w.headers(uint32(2*i+1), true, with("te: x")...) }, 0},
		"resets that we are made to send": {ReasonResets, nil, func(w *wire, i int) {
			id := uint32(2*i + 1)
			w.headers(id, false, post...).raw(kindWindowUpdate, 0, id, "\x00\x00\x00\x00")
		}, 0},
		"more streams than allowed": {ReasonResets, nil, func(w *wire, i int) { w.headers(uint32(2*i+1), false, post...) }, 0},
		"CONTINUATION":              {ReasonBlock, func(w *wire, _ int) { w.raw(kindHeaders, 0, 1, "") }, func(w *wire, _ int) { w.raw(kindContinuation, 0, 1, "") }, 0},
	} {
		m, w := greeted(Options{MaxStreams: 32})
		if c.first != nil {
			c.first(w, 0)
		}
		i := 0
		for ; i < 10000 && m.err == nil; i++ {
			c.then(w, i)
			m.feed(w.take())
			m.out = m.out[:0] // it reads what we answer
		}
		e := errorOf(m.err)
		if e.Reason != c.want || e.Code != EnhanceYourCalm || i < 30 || i > 2200 {
			t.Errorf("%s: got %v after %d, want %v", name, m.err, i, c.want)
		}
	}
}

// TestWorkThatIsDoneIsNoFlood: a client may do the same for as long as it likes if
// something comes of it.
func TestWorkThatIsDoneIsNoFlood(t *testing.T) {
	for name, once := range map[string]func(m *machine, w *wire, id uint32){
		"every other request is given up": func(m *machine, w *wire, id uint32) {
			m.handle = func(s *Stream, _ *exchange.Exchange, _ Head) {
				if s.ID()%4 == 1 {
					s.Answer(200, nil, nil, Answer{End: true})
				}
			}
			w.headers(id, true, get...)
			if id%4 == 3 {
				w.reset(id)
			}
		},
		"a window for each frame of an answer": func(m *machine, w *wire, id uint32) {
			if id == 1 {
				making(m, 1<<30)
				w.headers(id, true, get...)
			}
			w.window(0, 100).window(1, 100).raw(kindPing, 0, 0, "12345678")
		},
		"PRIORITY with each request": func(m *machine, w *wire, id uint32) {
			m.handle = func(s *Stream, _ *exchange.Exchange, _ Head) { s.Answer(200, nil, nil, Answer{End: true}) }
			w.headers(id, true, get...)
			for range 10 {
				w.raw(kindPriority, 0, id, "\x00\x00\x00\x00\x10")
			}
		},
		"PING now and then": func(m *machine, w *wire, _ uint32) {
			m.now += second / perSecond
			w.raw(kindPing, 0, 0, "12345678")
		},
		"requests given up now and then": func(m *machine, w *wire, id uint32) {
			m.now += second / perSecond
			w.headers(id, true, get...).reset(id)
		},
	} {
		m, w := greeted(Options{})
		m.now = 1
		for i := range 10000 {
			once(m, w, uint32(2*i+1))
			m.feed(w.take())
			m.out = m.out[:0]
			if m.err != nil {
				t.Errorf("%s: got %v after %d", name, m.err, i)
				break
			}
		}
	}
}

func TestClientThatOpensWindowsByOneByteIsEnded(t *testing.T) {
	m, w := greeted(Options{}, http2.Setting{ID: http2.SettingInitialWindowSize, Val: 0})
	making(m, 1<<20)
	m.feed(w.headers(1, true, get...).take())
	n := 0
	for ; m.err == nil && n < 10000; n++ {
		m.feed(w.window(1, 1).take())
		m.out = m.out[:0]
	}
	if ReasonOf(m.err) != ReasonFlood {
		t.Errorf("got %v after %d bytes", m.err, n)
	}
}

func TestAnswersToControlFramesMustBeRead(t *testing.T) {
	m, w := greeted(Options{HighWater: 1000})
	most := 0
	for i := 0; m.err == nil && i < 1e6; i++ {
		m.now += second // it has time
		m.feed(w.raw(kindPing, 0, 0, "12345678").take())
		most = max(most, len(m.out))
	}
	if ReasonOf(m.err) != ReasonUnread || most > 1000+2*maxUnread {
		t.Errorf("got %v with %d bytes waiting", m.err, most)
	}
}

func TestClientThatReadsLateIsForgiven(t *testing.T) {
	m, w := greeted(Options{HighWater: 1000})
	for range 20 {
		for range 1000 {
			m.now += second
			m.feed(w.raw(kindPing, 0, 0, "12345678").take())
		}
		m.sent() // it has read all
	}
	if m.err != nil {
		t.Errorf("got %v", m.err)
	}
}

func TestStreamsBeyondTheLimitMayBeRepeated(t *testing.T) {
	m, w := greeted(Options{MaxStreams: 2})
	m.feed(w.headers(1, false, post...).headers(3, true, get...).headers(5, false, with("x-kept: 1")...).take())
	m.feed(w.data(5, true, "was on its way").take())
	same(t, "frames", m.sent(), "reset 5 REFUSED_STREAM")
	same(t, "events", m.log[2:], "refuse: too_many_streams")
	m.streams[3].Reset(Cancel)
	m.feed(w.headers(7, true, with("x-kept: 1")...).take()) // from the table
	if m.err != nil || !strings.Contains(m.log[3], `{"x-kept" "1"}`) {
		t.Errorf("got %q, %v", m.log, m.err)
	}
	if m.feed(w.data(5, true, "").take()); ReasonOf(m.err) != ReasonClosed {
		t.Errorf("got %v of DATA behind the end of a stream that was refused", m.err)
	}
}

// TestClientMayNotKnowOurLimitsYet: until it has acknowledged them it goes by those of
// the protocol.
func TestClientMayNotKnowOurLimitsYet(t *testing.T) {
	m, w := newMachine(Options{MaxStreams: 4, StreamWindow: 100}), newWire()
	m.onData = func(*Stream, []byte, bool) {}
	w.greet().headers(1, false, post...)
	for range 3 {
		w.data(1, false, strings.Repeat("x", frameSize))
	}
	for id := uint32(3); id < 1000; id += 2 {
		w.headers(id, true, get...)
	}
	if m.feed(w.take()); m.err != nil || m.c.Streams() != 4 || slices.ContainsFunc(m.log, func(s string) bool { return strings.HasPrefix(s, "reset") }) {
		t.Errorf("got %v, %d streams open, %.300q", m.err, m.c.Streams(), m.log)
	}
	m.streams[3].Reset(Cancel)
	must(w.f.WriteSettingsAck())
	m.feed(w.headers(1001, false, post...).data(1001, true, strings.Repeat("x", 101)).take())
	if last := m.log[len(m.log)-1]; last != "reset 1001: window FLOW_CONTROL_ERROR" || m.err != nil {
		t.Errorf("got %q, %v of one that knows", last, m.err)
	}
}

func TestHeaderBlockInPieces(t *testing.T) {
	lines := with("x: "+strings.Repeat("y", 100), "z: 1")
	m, w := greeted(Options{})
	m.feed(w.headers(1, true, lines...).take())
	block := w.encode(lines...)
	for at := range block {
		id := uint32(2*at + 3)
		b := w.raw(kindHeaders, flagEndStream|flagPadded, id, "\x02"+string(block[:at])+"\x00\x00").raw(kindContinuation, 0, id, "").raw(kindContinuation, flagEndHeaders, id, string(block[at:])).take()
		if m.feed(b); m.c.Idle() || m.err != nil {
			t.Fatalf("cut at %d: %v", at, m.err)
		}
		if got, want := m.log[len(m.log)-1], strings.Replace(m.log[0], "request 1 ", fmt.Sprintf("request %d ", id), 1); got != want {
			t.Errorf("cut at %d: got %s, want %s", at, got, want)
		}
	}
	m.feed(w.raw(kindHeaders, flagEndStream, 99999, "").take())
	for _, s := range m.streams {
		s.Reset(Cancel)
	}
	if m.c.Idle() {
		t.Error("idle within a header block")
	}
}

func TestHeaderBlockBeyondItsLimitEndsTheConnection(t *testing.T) {
	m, w := greeted(Options{MaxHead: 20000})
	w.raw(kindHeaders, 0, 1, "")
	for range 4 {
		w.raw(kindContinuation, 0, 1, strings.Repeat("x", 12000))
	}
	m.feed(w.take())
	if want := (Error{ReasonBlock, EnhanceYourCalm}); errorOf(m.err) != want || len(m.c.in.started) != 0 {
		t.Errorf("got %v, want %v", m.err, want)
	}
}

// TestHeaderBombIsNotUnpacked: one byte may stand for 4 KiB, 64 thousand times.
func TestHeaderBombIsNotUnpacked(t *testing.T) {
	m, w := greeted(Options{})
	m.feed(w.headers(1, true, with("x: "+strings.Repeat("y", 4000))...).take())
	bomb := append(w.encode(get...), slices.Repeat([]byte{0x80 | 62}, 10000)...)
	bomb = append(bomb, unindexed([]string{"z: " + strings.Repeat("w", 4000)})...)
	m.feed(framed(3, true, bomb))
	if m.log[1] != "refuse 3: head_too_long" || m.err != nil {
		t.Fatalf("got %q, %v", m.log, m.err)
	}
	if n := len(m.asked[3].Request.Fields); n > 20 {
		t.Errorf("got %d fields", n)
	}
	m.feed(w.headers(5, true, with("x: "+strings.Repeat("y", 4000))...).take())
	if !strings.HasPrefix(m.log[2], "request 5") {
		t.Errorf("got %.100q: the table is out of step", m.log[2])
	}
}

func TestNothingIsGatheredBehindTheFirstMistake(t *testing.T) {
	m, w := greeted(Options{})
	m.feed(w.headers(1, true, with("x: y")...).take())
	block := append(w.encode(with("te: gzip")...), 0x0f, 63-15, 1, 'v') // a name from the dynamic table
	m.feed(framed(3, true, append(block, slices.Repeat([]byte{0x80 | 63}, 1000)...)))
	if got := m.c.side.block.fields; m.log[1] != "refuse 3: te" || len(got) > 0 {
		t.Errorf("got %q, %d fields", m.log, len(got))
	}
}

func TestMemoryOfClosedStreamsIsBounded(t *testing.T) {
	var r ids
	for i := range uint32(3000) {
		r.add(i, maxResets)
	}
	if len(r.list) != maxResets || r.has(3000-maxResets-1) || !r.has(3000-maxResets) || !r.has(2999) {
		t.Errorf("got %d, want the last %d", len(r.list), maxResets)
	}
}
