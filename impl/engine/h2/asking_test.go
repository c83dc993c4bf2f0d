package h2

import (
	"fmt"
	"strings"
	"testing"

	"golang.org/x/net/http2"
)

func TestSlotsAreWhatTheTargetAllows(t *testing.T) {
	m, w := newCaller(Options{MaxStreams: 200}), newWire()
	if n := m.c.Slots(); n != 100 {
		t.Errorf("before its SETTINGS: %d slots, want 100", n)
	}
	if m.c.Expect(7); m.c.Slots() != 7 {
		t.Errorf("expecting 7: %d slots", m.c.Slots())
	}
	if m.feed(w.settle().take()); m.c.Slots() != 200 {
		t.Errorf("without a limit of its own: %d slots, want 200", m.c.Slots())
	}
	limit := func(n uint32) { m.feed(w.settle(http2.Setting{ID: http2.SettingMaxConcurrentStreams, Val: n}).take()) }
	limit(2)
	first := m.ask()
	m.ask()
	if n := m.c.Slots(); n != 0 {
		t.Errorf("full: %d slots", n)
	}
	if s := m.ask(); s != nil {
		t.Errorf("opened stream %d beyond the limit", s.ID())
	}
	if limit(1); m.c.Slots() != 0 {
		t.Errorf("over a limit that has shrunk: %d slots", m.c.Slots())
	}
	first.Reset(Cancel)
	if n := m.c.Slots(); n != 0 {
		t.Errorf("still full: %d slots", n)
	}
	if m.feed(w.headers(3, true, status200).take()); m.c.Slots() != 1 {
		t.Errorf("empty: %d slots, want 1", m.c.Slots())
	}
	if limit(0); m.c.Slots() != 0 || m.c.Spent() {
		t.Errorf("limit 0: %d slots, spent %v", m.c.Slots(), m.c.Spent())
	}
	if limit(1 << 31); m.c.Slots() != 200 {
		t.Errorf("any number: %d slots", m.c.Slots())
	}
}

func TestStreamsEndWhenIDsAreUsedUp(t *testing.T) {
	m, _ := standing(Options{})
	m.c.last = maxID - 4
	if s := m.ask(); s == nil || s.ID() != maxID-2 {
		t.Fatalf("got %+v", s)
	}
	if s := m.ask(); s == nil || s.ID() != maxID {
		t.Fatalf("got %+v", s)
	}
	if s := m.ask(); s != nil || !m.c.Spent() || m.c.Streams() != 2 {
		t.Errorf("got %+v, spent %v, %d streams", s, m.c.Spent(), m.c.Streams())
	}
}

func TestGoAwayGivesBackWhatTheTargetHasNotLookedAt(t *testing.T) {
	m, w := standing(Options{})
	for range 4 {
		m.ask()
	}
	m.onReset = func(*Stream, Error) {
		if s := m.ask(); s != nil {
			t.Error("a new stream behind GOAWAY")
		}
	}
	m.feed(w.raw(kindGoAway, 0, 0, "\x7f\xff\xff\xff\x00\x00\x00\x00").take())
	if !m.c.Spent() || m.c.Streams() != 4 || m.c.Done() {
		t.Fatalf("asked to go: spent %v, %d streams", m.c.Spent(), m.c.Streams())
	}
	m.feed(w.raw(kindGoAway, 0, 0, "\x00\x00\x00\x03\x00\x00\x00\x0bmore").headers(1, true, status200).take())
	same(t, "told", m.log, "reset 5: left ENHANCE_YOUR_CALM untouched true", "reset 7: left ENHANCE_YOUR_CALM untouched true", `answer 1: 200 [] length 0 of -1 end true trailer ""`)
	if m.c.Done() {
		t.Error("done with a stream open")
	}
	if m.feed(w.headers(3, true, status200).take()); !m.c.Done() || m.err != nil {
		t.Errorf("done %v, %v", m.c.Done(), m.err)
	}
}

func TestResetsOfATargetAreToldWithTheirCode(t *testing.T) {
	m, w := standing(Options{})
	m.ask()
	up := m.upload()
	m.ask()
	m.ask()
	up.Data([]byte("half"), false)
	must(w.f.WriteRSTStream(1, http2.ErrCodeRefusedStream))
	w.headers(3, false, status200).data(3, true, "whole")
	must(w.f.WriteRSTStream(3, http2.ErrCodeNo))
	w.headers(5, false, status200).data(5, false, "half")
	must(w.f.WriteRSTStream(5, http2.ErrCodeInternal))
	m.feed(w.headers(7, true, status200).take())
	same(t, "told", m.log, "reset 1: peer_reset REFUSED_STREAM untouched true", `answer 3: 200 [] length -1 of -1 end false trailer ""`, "data 3 whole end",
		"reset 3: peer_reset NO_ERROR untouched false", `answer 5: 200 [] length -1 of -1 end false trailer ""`, "data 5 half", "reset 5: peer_reset INTERNAL_ERROR untouched false",
		`answer 7: 200 [] length 0 of -1 end true trailer ""`)
	if m.err != nil || m.c.Streams() != 0 {
		t.Errorf("%v, %d streams", m.err, m.c.Streams())
	}
}

// TestTargetMayResetEverything: what it gives up we have asked for, and a target that is
// overloaded keeps its connection.
func TestTargetMayResetEverything(t *testing.T) {
	m, w := standing(Options{})
	for i := range 3000 {
		s := m.ask()
		must(w.f.WriteRSTStream(s.ID(), http2.ErrCodeRefusedStream))
		if m.feed(w.take()); m.err != nil {
			t.Fatalf("after %d resets: %v", i, m.err)
		}
		m.out = m.out[:0]
	}
}

func TestEarlyAnswerEndsTheStreamWhenWeReset(t *testing.T) {
	m, w := standing(Options{})
	s := m.upload()
	m.sent()
	m.onData = func(s *Stream, _ []byte, end bool) {
		if end {
			s.Reset(NoError)
		}
	}
	m.feed(w.headers(1, false, status200).data(1, true, "early").take())
	same(t, "sent", m.sent(), "reset 1 NO_ERROR")
	if s.Conn() != nil || m.c.Streams() != 0 {
		t.Error("the stream lives on")
	}
	must(w.f.WriteRSTStream(1, http2.ErrCodeNo))
	if m.feed(w.headers(1, true, "late: x").take()); ReasonOf(m.err) != ReasonClosed {
		t.Errorf("behind both resets: %v", m.err)
	}
}

// TestRequestBodyGoesAsWindowsAllow: by the stream's window, that of the connection, and
// the room of the output.
func TestRequestBodyGoesAsWindowsAllow(t *testing.T) {
	m, w := standing(Options{HighWater: 200 << 10}, http2.Setting{ID: http2.SettingInitialWindowSize, Val: 10})
	body := []byte(strings.Repeat("0123456789", 20_000))
	s, told := m.upload(), 0
	m.can = func(*Stream) { told++ }
	if n := s.Data(body, true); n != 10 {
		t.Fatalf("took %d bytes of a window of 10", n)
	}
	if m.feed(w.window(1, 1<<20).take()); told != 1 {
		t.Errorf("told %d times of the stream's window", told)
	}
	n := 10 + s.Data(body[10:], true)
	if n != baseWindow {
		t.Errorf("took %d bytes of the connection's window", n)
	}
	if m.feed(w.window(0, 1<<20).take()); told != 2 {
		t.Errorf("told %d times of the connection's window", told)
	}
	m.waiting = 200 << 10
	if k := s.Data(body[n:], true); k != 0 {
		t.Errorf("took %d bytes for a full output", k)
	}
	m.waiting = 0
	m.out = m.out[:0]
	if m.c.Sent(); told != 3 {
		t.Errorf("told %d times of room", told)
	}
	if k := s.Data(body[n:], true); k != len(body)-n {
		t.Errorf("took %d bytes of the last %d", k, len(body)-n)
	}
	if sent := m.sent(); !strings.HasSuffix(sent[len(sent)-1], " end") {
		t.Errorf("sent %q", sent)
	}
	if m.feed(w.headers(1, true, status200).take()); m.c.Streams() != 0 {
		t.Error("the stream lives on")
	}
}

// TestAnswersThatNobodyTakesStopTheirStreamOnly: a stream whose body is not consumed gets
// no window, and the others all of theirs.
func TestAnswersThatNobodyTakesStopTheirStreamOnly(t *testing.T) {
	m, w := standing(Options{StreamWindow: 64 << 10, MaxStreams: 5})
	for range 4 {
		m.ask()
	}
	m.onData = func(s *Stream, b []byte, _ bool) {
		if s.ID() == 7 {
			s.Consumed(len(b))
		}
	}
	fill := func(id uint32) {
		w.headers(id, false, status200)
		for range 4 {
			w.data(id, false, strings.Repeat("x", 16<<10))
		}
	}
	for id := uint32(1); id < 7; id += 2 {
		fill(id)
	}
	m.feed(w.take())
	m.sent()
	fill(7)
	m.feed(w.take())
	same(t, "sent", m.sent(), "window 7 32768", "window 7 32768")
	if m.err != nil {
		t.Fatal(m.err)
	}
	m.feed(w.data(1, false, "x").take())
	if last := m.log[len(m.log)-1]; last != "reset 1: window FLOW_CONTROL_ERROR untouched false" || m.err != nil {
		t.Errorf("beyond a stream's window: %q, %v", last, m.err)
	}
}

func TestConnectionThatEndsEndsItsStreams(t *testing.T) {
	m, w := standing(Options{})
	m.ask()
	m.upload()
	m.feed(w.raw(kindPing, 0, 0, "12345678").take())
	sent := m.sent()
	if last := sent[len(sent)-1]; last != `ping ack true "12345678"` {
		t.Errorf("PING: %q", last)
	}
	m.c.Cut()
	same(t, "told", m.log, "reset 3: cut CANCEL untouched false", "reset 1: cut CANCEL untouched false")
	if sent := m.sent(); len(sent) > 0 || m.ask() != nil {
		t.Errorf("after the end: %q", sent)
	}
}

// TestTableOfTheTargetIsUsedAsItAllows: fields that repeat are sent once, unless it
// keeps none.
func TestTableOfTheTargetIsUsedAsItAllows(t *testing.T) {
	for _, size := range []uint32{4096, 0} {
		m, _ := standing(Options{}, http2.Setting{ID: http2.SettingHeaderTableSize, Val: size})
		m.frames.ReadMetaHeaders.SetMaxDynamicTableSize(size)
		var sizes []int
		for i := range 3 {
			m.ask("User-Agent: t/1", "Accept: */*", fmt.Sprintf("X-Id: %d", i), "Authorization: secret", "Cookie: secret")
			sizes = append(sizes, len(m.out))
			want := fmt.Sprintf("headers %d [:method: GET, :scheme: http, :authority: a.example, :path: /, user-agent: t/1, accept: */*, x-id: %d, authorization: secret, cookie: secret] end", 2*i+1, i)
			same(t, "request", m.sent(), want)
		}
		if again := sizes[1] == sizes[2] && sizes[1] < sizes[0]-15; again != (size > 0) {
			t.Errorf("table of %d bytes: requests of %v bytes", size, sizes)
		}
	}
}
