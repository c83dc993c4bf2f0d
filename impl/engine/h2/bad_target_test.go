package h2

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/http2"
)

// TestMalformedAnswersEndTheirStream has a row for each rule of RFC 9113, 8.1 to 8.3,
// about answers.
func TestMalformedAnswersEndTheirStream(t *testing.T) {
	for name, c := range map[string]struct {
		want Reason
		say  func(w *wire)
	}{
		"no status":                 {ReasonPseudoMissing, func(w *wire) { w.headers(1, true, "x: y") }},
		"a status of two digits":    {ReasonStatus, func(w *wire) { w.headers(1, true, ":status: 20") }},
		"a status of four digits":   {ReasonStatus, func(w *wire) { w.headers(1, true, ":status: 2000") }},
		"a status that is no digit": {ReasonStatus, func(w *wire) { w.headers(1, true, ":status: 2x0") }},
		"a status below 100":        {ReasonStatus, func(w *wire) { w.headers(1, true, ":status: 099") }},
		"101":                       {ReasonStatus, func(w *wire) { w.headers(1, false, ":status: 101") }},
		"two statuses":              {ReasonPseudoRepeated, func(w *wire) { w.headers(1, true, status200, status200) }},
		"a status behind fields":    {ReasonPseudoOrder, func(w *wire) { w.headers(1, true, "x: y", status200) }},
		"a path":                    {ReasonPseudo, func(w *wire) { w.headers(1, true, status200, ":path: /") }},
		"an unknown pseudo field":   {ReasonPseudo, func(w *wire) { w.headers(1, true, status200, ":x: /") }},
		"a name in capitals":        {ReasonUpperCase, func(w *wire) { w.headers(1, true, status200, "X-A: b") }},
		"a name with a blank":       {ReasonName, func(w *wire) { w.headers(1, true, status200, "x a: b") }},
		"a control byte":            {ReasonControl, func(w *wire) { w.headers(1, true, status200, "x: a\nb") }},
		"a value with a blank":      {ReasonBlank, func(w *wire) { w.headers(1, true, status200, "x:  b") }},
		"connection":                {ReasonConnection, func(w *wire) { w.headers(1, true, status200, "connection: close") }},
		"transfer-encoding":         {ReasonConnection, func(w *wire) { w.headers(1, true, status200, "transfer-encoding: chunked") }},
		"te":                        {ReasonConnection, func(w *wire) { w.headers(1, true, status200, "te: trailers") }},
		"no number as length":       {ReasonLength, func(w *wire) { w.headers(1, true, status200, "content-length: 1x") }},
		"two lengths":               {ReasonLengthRepeated, func(w *wire) { w.headers(1, true, status200, "content-length: 0", "content-length: 0") }},
		"less than its length":      {ReasonLengthDiffers, func(w *wire) { w.headers(1, false, status200, "content-length: 3").data(1, true, "ab") }},
		"more than its length":      {ReasonLengthDiffers, func(w *wire) { w.headers(1, false, status200, "content-length: 3").data(1, false, "abcd") }},
		"a length without a body":   {ReasonLengthDiffers, func(w *wire) { w.headers(1, true, status200, "content-length: 3") }},
		"trailers before its length": {ReasonLengthDiffers, func(w *wire) {
			w.headers(1, false, status200, "content-length: 3").data(1, false, "ab").headers(1, true, "x: y")
		}},
		"a body of 204":              {ReasonLengthDiffers, func(w *wire) { w.headers(1, false, ":status: 204").data(1, true, "x") }},
		"an interim answer as end":   {ReasonHeadMissing, func(w *wire) { w.headers(1, true, ":status: 103") }},
		"a body before the head":     {ReasonHeadMissing, func(w *wire) { w.data(1, true, "x") }},
		"a body behind 1xx":          {ReasonHeadMissing, func(w *wire) { w.headers(1, false, ":status: 100").data(1, false, "x") }},
		"trailers that end nothing":  {ReasonTrailers, func(w *wire) { w.headers(1, false, status200).headers(1, false, "x: y") }},
		"a status among trailers":    {ReasonPseudo, func(w *wire) { w.headers(1, false, status200).headers(1, true, status200) }},
		"connection among trailers":  {ReasonConnection, func(w *wire) { w.headers(1, false, status200).headers(1, true, "connection: x") }},
		"trailer that frames":        {ReasonTrailer, func(w *wire) { w.headers(1, false, status200, "trailer: content-length") }},
		"a head that is too long":    {ReasonHeadTooLong, func(w *wire) { w.headers(1, true, status200, "x: "+strings.Repeat("y", 16_000)) }},
		"a WINDOW_UPDATE by nothing": {ReasonIncrement, func(w *wire) { w.window(1, 0) }},
		"a window beyond the end":    {ReasonWindow, func(w *wire) { w.window(1, maxWindow) }},
		"itself it depends on": {ReasonDependency, func(w *wire) {
			w.raw(kindHeaders, flagEndHeaders|flagPriority, 1, "\x00\x00\x00\x01\x10"+string(w.encode(status200)))
		}},
	} {
		o := Options{}
		if c.want == ReasonHeadTooLong {
			o.MaxHead = 16_000
		}
		m, w := standing(o)
		s := m.upload()
		m.ask()
		m.sent()
		c.say(w)
		m.feed(w.take())
		want := fmt.Sprintf("reset 1: %s %s untouched false", c.want, c.want.Code())
		if len(m.log) == 0 || m.log[len(m.log)-1] != want || m.err != nil {
			t.Errorf("%s: told %q, %v, want %q", name, m.log, m.err, want)
		}
		if sent := m.sent(); !slices.Contains(sent, fmt.Sprintf("reset 1 %v", http2.ErrCode(c.want.Code()))) {
			t.Errorf("%s: sent %q", name, sent)
		}
		if s.Conn() != nil {
			t.Errorf("%s: the stream lives on", name)
		}
		// The other stream, and the connection, live.
		m.feed(w.headers(3, true, status200, "x-b: c").take())
		if last := m.log[len(m.log)-1]; last != `answer 3: 200 [{"x-b" "c"}] length 0 of -1 end true trailer ""` {
			t.Errorf("%s: the next stream: %q, %v", name, last, m.err)
		}
	}
}

// TestBrokenTargetsEndTheConnection has a row for each rule whose breach is an error of
// the connection.
func TestBrokenTargetsEndTheConnection(t *testing.T) {
	for name, c := range map[string]struct {
		want Reason
		say  func(w *wire)
	}{
		"a push":                  {ReasonPush, func(w *wire) { w.raw(kindPush, flagEndHeaders, 1, "\x00\x00\x00\x02"+string(w.encode(get...))) }},
		"SETTINGS with push":      {ReasonSettings, func(w *wire) { must(w.f.WriteSettings(http2.Setting{ID: http2.SettingEnablePush, Val: 1})) }},
		"a stream of its own":     {ReasonStreamID, func(w *wire) { w.headers(2, true, status200) }},
		"a stream of nobody":      {ReasonStreamID, func(w *wire) { w.headers(5, true, status200) }},
		"data of nobody":          {ReasonStreamID, func(w *wire) { w.data(5, true, "x") }},
		"a reset of nobody":       {ReasonStreamID, func(w *wire) { w.reset(5) }},
		"a window of nobody":      {ReasonStreamID, func(w *wire) { w.window(5, 1) }},
		"an answer behind itself": {ReasonClosed, func(w *wire) { w.headers(3, true, status200).headers(3, true, status200) }},
		"data behind its reset":   {ReasonClosed, func(w *wire) { w.reset(1).data(1, true, "x") }},
		"a broken block":          {ReasonCompression, func(w *wire) { w.raw(kindHeaders, flagEndHeaders, 1, "\xff\xff\xff\xff\xff\xff\xff") }},
		"an interrupted block":    {ReasonSequence, func(w *wire) { w.raw(kindHeaders, 0, 1, string(w.encode(status200))).window(0, 1) }},
		"CONTINUATION of nothing": {ReasonSequence, func(w *wire) { w.raw(kindContinuation, 0, 1, "") }},
		"a large frame":           {ReasonFrameSize, func(w *wire) { w.raw(kindData, 0, 1, strings.Repeat("x", frameSize+1)) }},
		"a broken GOAWAY":         {ReasonFrameSize, func(w *wire) { w.raw(kindGoAway, 0, 0, "1234") }},
		"GOAWAY on a stream":      {ReasonStreamID, func(w *wire) { w.raw(kindGoAway, 0, 1, "12345678") }},
		"too large a window":      {ReasonWindow, func(w *wire) { w.window(0, maxWindow) }},
		"more than the window":    {ReasonWindow, func(w *wire) { w.headers(1, false, status200); overrun(w, 1) }},
		"a header bomb":           {ReasonBlock, func(w *wire) { bomb(w, 1) }},
	} {
		m, w := standing(Options{StreamWindow: 1 << 20, ConnWindow: 64 << 10})
		m.onData = func(*Stream, []byte, bool) {} // nobody takes it
		m.upload()
		m.ask()
		m.sent()
		c.say(w)
		m.feed(w.take())
		if ReasonOf(m.err) != c.want {
			t.Errorf("%s: got %v, want %v; told %.200q", name, m.err, c.want, m.log)
		}
		sent := m.sent()
		if want := fmt.Sprintf("goaway 0 %v %s", http2.ErrCode(c.want.Code()), c.want); len(sent) == 0 || sent[len(sent)-1] != want {
			t.Errorf("%s: sent %q, want %q at the end", name, sent, want)
		}
		if !m.c.Done() || m.c.Slots() != 0 || m.c.Streams() != 0 {
			t.Errorf("%s: the connection lives on", name)
		}
	}
	m, w := newCaller(Options{}), newWire()
	if m.feed(w.headers(1, true, status200).take()); ReasonOf(m.err) != ReasonPreface {
		t.Errorf("no SETTINGS first: %v", m.err)
	}
	m = newCaller(Options{})
	if m.feed([]byte("HTTP/1.1 400 Bad Request\r\n\r\n")); m.err == nil {
		t.Error("an answer of HTTP/1.1 is no error")
	}
}

func overrun(w *wire, id uint32) {
	for range 5 {
		w.data(id, false, strings.Repeat("x", frameSize))
	}
}

func bomb(w *wire, id uint32) {
	w.raw(kindHeaders, 0, id, string(w.encode(status200)))
	for range maxPieces + 1 {
		w.raw(kindContinuation, 0, id, "\x00\x01a\x01b")
	}
}

func TestFloodOfATargetEndsTheConnection(t *testing.T) {
	for name, then := range map[string]func(w *wire){
		"PING": func(w *wire) { w.raw(kindPing, 0, 0, "12345678") }, "SETTINGS": func(w *wire) { must(w.f.WriteSettings()) },
		"empty DATA": func(w *wire) { w.data(1, false, "") }, "unknown frames": func(w *wire) { w.raw(99, 0, 0, "") }, "windows": func(w *wire) { w.window(1, 1) },
		"GOAWAY": func(w *wire) { w.raw(kindGoAway, 0, 0, "\x00\x00\x00\x01\x00\x00\x00\x00") }, "1xx": func(w *wire) { w.headers(3, false, ":status: 103") },
		"padding": func(w *wire) { w.raw(kindData, flagPadded, 1, "\x02\x00\x00") },
	} {
		m, w := standing(Options{})
		m.upload()
		m.ask()
		m.feed(w.headers(1, false, status200).take())
		for range maxCalm + 10 {
			then(w)
			if m.feed(w.take()); m.err != nil {
				break
			}
			m.out = m.out[:0]
		}
		if ReasonOf(m.err) != ReasonFlood {
			t.Errorf("%s: got %v, want %v", name, m.err, ReasonFlood)
		}
	}
}

// TestMeasuringTargetIsNoFlood: gRPC sends a PING and a WINDOW_UPDATE for every part of
// a body.
func TestMeasuringTargetIsNoFlood(t *testing.T) {
	m, w := standing(Options{})
	s := m.upload()
	for i := range 3 * maxCalm {
		if n := s.Data([]byte("tiny"), false); n != 4 {
			t.Fatalf("message %d: took %d bytes", i, n)
		}
		m.feed(w.window(0, 4).window(1, 4).raw(kindPing, 0, 0, "12345678").take())
		if m.out = m.out[:0]; m.err != nil {
			t.Fatalf("after %d messages: %v", i, m.err)
		}
	}
}
