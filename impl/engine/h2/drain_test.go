package h2

import (
	"strings"
	"testing"

	"github.com/unilb/unilb/impl/exchange"
)

func TestDrainRefusesNothingThatIsOnItsWay(t *testing.T) {
	m, w := greeted(Options{})
	m.feed(w.headers(1, false, post...).take())
	m.c.Drain()
	m.c.Drain()
	same(t, "a first word", m.sent(), "goaway 2147483647 NO_ERROR ", `ping ack false "drain\x00\x00\x00"`)
	m.feed(w.headers(3, true, get...).raw(kindPing, flagAck, 0, "12345678").take()) // it did not know
	same(t, "not yet", m.sent())
	m.feed(w.raw(kindPing, flagAck, 0, "drain\x00\x00\x00").take())
	same(t, "the last word", m.sent(), "goaway 3 NO_ERROR ")
	m.c.GoAway()
	// What comes now was told that it will not be served.
	m.feed(w.headers(5, false, post...).data(5, false, "x").window(5, 1).reset(5).headers(7, true, get...).take())
	same(t, "silence", m.sent())
	if m.c.Done() || m.err != nil || len(m.log) != 2 {
		t.Errorf("got done %v, %v, %q", m.c.Done(), m.err, m.log)
	}
	m.feed(w.data(1, true, "late").headers(9, true, with("x: 1")...).take())
	m.streams[3].Reset(Cancel)
	m.streams[1].Answer(200, nil, nil, Answer{Length: 0, End: true})
	if !m.c.Done() {
		t.Error("not done without streams")
	}
}

func TestGoAwayDoesNotWait(t *testing.T) {
	m, w := greeted(Options{})
	m.feed(w.headers(1, true, get...).take())
	m.c.GoAway()
	m.c.Drain()
	same(t, "frames", m.sent(), "goaway 1 NO_ERROR ")
	m.feed(w.headers(3, true, get...).take())
	if len(m.log) != 1 || m.c.Done() || m.err != nil {
		t.Errorf("got %q, done %v, %v", m.log, m.c.Done(), m.err)
	}
}

func TestClientThatLeavesIsServedToItsEnd(t *testing.T) {
	m, w := greeted(Options{})
	m.feed(w.headers(1, true, get...).raw(kindGoAway, 0, 0, "\x00\x00\x00\x00\x00\x00\x00\x00bye").headers(3, true, get...).take())
	if len(m.log) != 2 || m.c.Done() || m.err != nil {
		t.Errorf("got %q, done %v, %v", m.log, m.c.Done(), m.err)
	}
	m.streams[1].Reset(Cancel)
	m.streams[3].Reset(Cancel)
	if !m.c.Done() {
		t.Error("not done without streams")
	}
}

func TestAnswerBeforeTheEndOfTheRequestAsksForNoMore(t *testing.T) {
	m, w := greeted(Options{})
	m.handle = func(s *Stream, _ *exchange.Exchange, _ Head) {
		s.Answer(413, nil, nil, Answer{Length: 0, End: true})
	}
	m.feed(w.headers(1, false, post...).data(1, false, "was on its way").take())
	same(t, "frames", m.sent(), "headers 1 [:status: 413, content-length: 0] end", "reset 1 NO_ERROR")
	if len(m.log) != 1 || m.err != nil || m.c.Streams() != 0 {
		t.Errorf("got %q, %v", m.log, m.err)
	}
	m.feed(w.headers(3, true, get...).take())
	if !strings.HasPrefix(m.log[1], "request 3") {
		t.Errorf("got %q", m.log)
	}
	m.feed(w.data(1, false, "still").reset(1).take())
	if m.feed(w.window(1, 1).take()); m.err != nil { // which is harmless
		t.Fatal(m.err)
	}
	if m.feed(w.data(1, false, "x").take()); ReasonOf(m.err) != ReasonClosed {
		t.Errorf("got %v of DATA behind the client's own end", m.err)
	}
}
