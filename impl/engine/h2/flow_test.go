package h2

import (
	"strings"
	"testing"

	"golang.org/x/net/http2"

	"github.com/unilb/unilb/impl/exchange"
)

// making has each request answered by n bytes, as room allows.
func making(m *machine, n int) map[uint32]int {
	left := map[uint32]int{}
	m.can = func(s *Stream) {
		id := s.ID()
		for left[id] > 0 {
			b := make([]byte, min(left[id], 60000))
			k := s.Data(b, len(b) == left[id])
			if left[id] -= k; k < len(b) {
				return
			}
		}
	}
	m.handle = func(s *Stream, _ *exchange.Exchange, _ Head) {
		left[s.ID()] = n
		s.Answer(200, nil, nil, Answer{Length: int64(n)})
		m.can(s)
	}
	return left
}

func TestAnswerWaitsForTheWindowOfItsStream(t *testing.T) {
	m, w := greeted(Options{}, http2.Setting{ID: http2.SettingInitialWindowSize, Val: 3})
	making(m, 10)
	m.feed(w.headers(1, true, get...).take())
	same(t, "at first", m.sent(), "headers 1 [:status: 200, content-length: 10]", "data 1 3 bytes")
	m.feed(w.window(1, 2).take())
	same(t, "a larger window", m.sent(), "data 1 2 bytes")
	m.feed(w.window(1, 100).take())
	same(t, "an open one", m.sent(), "data 1 5 bytes end")
	if m.c.Streams() != 0 {
		t.Errorf("%d streams are open", m.c.Streams())
	}
}

func TestSettingsChangeTheWindowsOfOpenStreams(t *testing.T) {
	initial := func(n uint32) http2.Setting { return http2.Setting{ID: http2.SettingInitialWindowSize, Val: n} }
	m, w := greeted(Options{}, initial(10))
	making(m, 40)
	m.feed(w.headers(1, true, get...).take())
	m.feed(w.headers(3, true, get...).take())
	same(t, "at first", m.sent(), "headers 1 [:status: 200, content-length: 40]", "data 1 10 bytes", "headers 3 [:status: 200, content-length: 40]", "data 3 10 bytes")
	must(w.f.WriteSettings(initial(4))) // now both have -6
	m.feed(w.window(1, 6).take())
	same(t, "negative and 0", m.sent(), "settings ack")
	m.feed(w.window(1, 1).window(3, 6).take())
	same(t, "just open", m.sent(), "data 1 1 bytes")
	must(w.f.WriteSettings(initial(8), initial(9))) // the last one counts
	m.feed(w.take())
	same(t, "larger again", m.sent(), "settings ack", "data 1 5 bytes", "data 3 5 bytes")
}

func TestStreamsShareTheWindowOfTheConnectionInTurn(t *testing.T) {
	m, w := greeted(Options{})
	making(m, 60000)
	for id := uint32(1); id <= 7; id += 2 {
		w.headers(id, true, get...)
	}
	m.feed(w.take())
	m.sent()
	for _, c := range []struct {
		by   uint32
		want []string
	}{
		{1000, []string{"data 3 1000 bytes"}},
		{1000, []string{"data 5 1000 bytes"}},
		{1000, []string{"data 7 1000 bytes"}},
		{1000, []string{"data 3 1000 bytes"}},
	} {
		m.feed(w.window(0, c.by).take())
		same(t, "in turn", m.sent(), c.want...)
	}
	m.feed(w.reset(5).window(0, 10).take()) // who has gone is passed over
	same(t, "after a reset", m.sent(), "data 7 10 bytes")
}

func TestFullOutputHoldsAnswersAndRequestsBack(t *testing.T) {
	m, w := greeted(Options{HighWater: 1000})
	making(m, 3000)
	m.waiting = 400
	m.feed(w.headers(1, true, get...).take())
	same(t, "as much as there was room for", m.sent(), "headers 1 [:status: 200, content-length: 3000]", "data 1 583 bytes") // beside 17 of the head
	m.waiting = 1000
	m.feed(w.headers(3, true, get...).raw(kindPing, 0, 0, "12345678").take())
	if len(m.log) != 1 || m.c.Wants() || m.err != nil {
		t.Errorf("got %q, wants %v, %v: want the second request to wait", m.log, m.c.Wants(), m.err)
	}
	same(t, "nothing goes past it", m.sent())
	m.waiting = 0
	if !m.c.Wants() {
		t.Error("there is room, and nothing is wanted")
	}
	var got []string
	for range 10 {
		m.c.Sent()
		m.feed(nil)
		got = append(got, m.sent()...)
	}
	same(t, "all goes on", got, "data 1 1000 bytes", "data 1 1000 bytes", "data 1 417 bytes end", "headers 3 [:status: 200, content-length: 3000]", "data 3 557 bytes",
		`ping ack true "12345678"`, "data 3 1000 bytes", "data 3 1000 bytes", "data 3 443 bytes end")
	if m.c.Streams() != 0 || len(m.log) != 2 {
		t.Errorf("got %q, %d streams open", m.log, m.c.Streams())
	}
}

func TestBodyOfARequestPassesAFullOutput(t *testing.T) {
	m, w := greeted(Options{HighWater: 1000})
	m.feed(w.headers(1, false, post...).take())
	m.waiting = 2000
	m.feed(w.data(1, false, "hello").window(0, 5).headers(1, true, "x: y").take())
	if len(m.log) != 3 || !m.c.Wants() {
		t.Errorf("got %q, wants %v", m.log, m.c.Wants())
	}
}

func TestWindowOpensOnlyByWhatWasConsumed(t *testing.T) {
	m, w := greeted(Options{StreamWindow: 10000, ConnWindow: 100000})
	m.onData = func(*Stream, []byte, bool) {}
	m.feed(w.headers(1, false, post...).data(1, false, strings.Repeat("x", 10000)).take())
	same(t, "nothing was consumed", m.sent())
	s := m.streams[1]
	s.Consumed(4999)
	same(t, "less than half", m.sent())
	s.Consumed(1)
	same(t, "half", m.sent(), "window 1 5000")
	m.feed(w.data(1, false, strings.Repeat("x", 5000)).take())
	if s.Consumed(1 << 30); m.err != nil { // more than there was
		t.Fatal(m.err)
	}
	same(t, "all", m.sent(), "window 1 10000")
	m.feed(w.data(1, true, strings.Repeat("x", 10000)).take())
	s.Consumed(10000)
	same(t, "a stream that has ended needs none", m.sent())
	m.feed(w.headers(3, false, post...).data(3, false, strings.Repeat("x", 9999)).headers(5, false, post...).data(5, false, strings.Repeat("x", 9999)).take())
	same(t, "still", m.sent())
	m.streams[3].Reset(Cancel) // gives back what it did not consume
	m.feed(w.reset(5).take())
	m.feed(w.headers(7, false, post...).raw(kindData, flagPadded, 7, "\xff"+strings.Repeat("x", 5001)+strings.Repeat("\x00", 255)).take())
	m.streams[7].Consumed(5001)
	same(t, "the connection's", m.sent(), "reset 3 CANCEL", "window 0 50255", "window 7 5257")
	m.feed(w.data(3, true, strings.Repeat("y", 10000)).take()) // nobody wants it: it counts for the connection
	if m.err != nil || m.c.owed != 10000 || m.c.recv != 90000 {
		t.Errorf("got %v, a window of %d and %d to be given back", m.err, m.c.recv, m.c.owed)
	}
}

func TestWindowOfTheConnectionEndsIt(t *testing.T) {
	m, w := greeted(Options{StreamWindow: 1 << 20, ConnWindow: 70000})
	m.onData = func(*Stream, []byte, bool) {}
	w.headers(1, false, post...)
	for range 7 {
		w.data(1, false, strings.Repeat("x", 10000))
	}
	if m.feed(w.take()); m.err != nil {
		t.Fatalf("got %v within the window", m.err)
	}
	m.feed(w.data(1, false, "x").take())
	if want := (Error{ReasonWindow, FlowControlError}); errorOf(m.err) != want {
		t.Errorf("got %v, want %v", m.err, want)
	}
}

func TestPartOfAFrameIsPassedOnBeforeItsEnd(t *testing.T) {
	m, w := greeted(Options{})
	w.headers(1, false, post...).raw(kindData, flagPadded|flagEndStream, 1, "\x02hello\x00\x00")
	b := w.take()
	for i := range b {
		m.feed(b[i : i+1])
		if len(m.held) > headerSize+len(b) {
			t.Fatalf("%d bytes are held", len(m.held))
		}
		if i == len(b)-4 {
			if last := m.log[len(m.log)-1]; last != "data 1 hell" {
				t.Errorf("got %q before the last byte", last)
			}
		}
	}
	same(t, "at the end", m.log[1:], "data 1 hello end")
	if len(m.held) != 0 || m.err != nil {
		t.Errorf("got %q held, %v", m.held, m.err)
	}
}

func TestOwnerMayEndAStreamAnywhere(t *testing.T) {
	for name, at := range map[string]func(m *machine){
		"in the head": func(m *machine) { m.handle = func(s *Stream, _ *exchange.Exchange, _ Head) { s.Reset(Cancel) } },
		"in the body": func(m *machine) { m.onData = func(s *Stream, _ []byte, _ bool) { s.Reset(Cancel) } },
	} {
		m, w := greeted(Options{})
		at(m)
		b := w.headers(1, false, post...).data(1, false, "hello").data(1, true, "world").take()
		m.feed(b[:len(b)-len("world")-headerSize-3]) // in the midst of a frame
		m.feed(b[len(b)-len("world")-headerSize-3:])
		m.handle, m.onData = nil, nil
		m.feed(w.headers(3, true, get...).take())
		want := 2
		if name == "in the body" {
			want = 3 // and of its body one part
		}
		if m.err != nil || m.c.Streams() != 1 || len(m.log) != want || !strings.HasPrefix(m.log[want-1], "request 3") {
			t.Errorf("%s: got %q, %v", name, m.log, m.err)
		}
		same(t, name, m.sent(), "reset 1 CANCEL")
	}
}

func TestStreamThatDoesNotWaitIsNotTold(t *testing.T) {
	m, w := greeted(Options{})
	told := 0
	m.can = func(*Stream) { told++ }
	m.feed(w.headers(1, true, get...).take())
	s := m.streams[1]
	s.Answer(200, nil, nil, Answer{Length: NoLength})
	s.Data(make([]byte, 65535), false)
	must(w.f.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 70000}))
	m.feed(w.window(1, 10).window(0, 10).take())
	m.c.Sent()
	if told != 0 {
		t.Errorf("it was told %d times", told)
	}
	s.Data(make([]byte, 11), false) // one more than the connection takes
	if m.feed(w.window(1, 10).take()); told != 0 {
		t.Errorf("it was told %d times before there was room", told)
	}
	if m.feed(w.window(0, 10).window(0, 10).take()); told != 1 {
		t.Errorf("it was told %d times, want once", told)
	}
}

func TestConnectionThatIsCutTellsEveryStream(t *testing.T) {
	m, w := greeted(Options{})
	m.feed(w.headers(1, false, post...).headers(3, true, get...).take())
	m.streams[3].Answer(200, nil, nil, Answer{Length: 5})
	m.sent()
	s := m.streams[1]
	m.c.Cut()
	m.c.Cut()
	same(t, "events", m.log[2:], "reset 3: cut CANCEL", "reset 1: cut CANCEL")
	same(t, "frames", m.sent())
	s.Consumed(5) // it has ended: nothing happens
	s.Answer(200, nil, nil, Answer{End: true})
	s.Reset(Cancel)
	s.End(nil)
	if s.Room() != 0 || s.Data([]byte("x"), true) != 0 || len(m.out) > 0 {
		t.Errorf("got output %q of a stream that has ended", m.out)
	}
}
