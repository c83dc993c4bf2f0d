package h2

import (
	"strings"
	"testing"

	"golang.org/x/net/http2"
)

func TestServerSpeaksFirst(t *testing.T) {
	m := newMachine(Options{})
	same(t, "before anything came", m.sent(), "settings 3", "window 0 983041")
	m.feed([]byte(Preface[:10]))
	if m.err != nil || len(m.held) != 10 {
		t.Errorf("got %v, %d bytes held, want part of a preface to be kept", m.err, len(m.held))
	}
}

func TestPrefaceIsToldFromHTTP1(t *testing.T) {
	for text, want := range map[string][2]bool{"": {true, false}, "PRI * HT": {true, false}, Preface: {true, true}, Preface + "x": {true, true},
		"PRI / HTTP/1.1": {false, false}, "GET / HTTP/1.1\r\n": {false, false}, "PRJ": {false, false}} {
		if may, whole := HasPreface([]byte(text)); may != want[0] || (may && whole != want[1]) {
			t.Errorf("%q: got %v, %v, want %v", text, may, whole, want)
		}
	}
}

// TestConnectionEndsWith has a row for each rule whose breach ends the connection.
func TestConnectionEndsWith(t *testing.T) {
	plain := func(w *wire) *wire { return w.greet() }
	open := func(w *wire) *wire { return w.greet().headers(1, false, post...) }
	ended := func(w *wire) *wire { return open(w).reset(1) }
	self := "\x00\x00\x00\x01\x10"
	for name, c := range map[string]struct {
		want Reason
		code Code
		send *wire
	}{
		"another protocol":                              {ReasonPreface, ProtocolError, write(func(w *wire) { w.WriteString("GET / HTTP/1.1\r\n\r\n") })},
		"a broken preface":                              {ReasonPreface, ProtocolError, write(func(w *wire) { w.WriteString(Preface[:20] + "xx\r\n") })},
		"no SETTINGS behind the preface":                {ReasonPreface, ProtocolError, write(func(w *wire) { w.WriteString(Preface); w.headers(1, true, get...) })},
		"an acknowledgement as the first frame":         {ReasonPreface, ProtocolError, write(func(w *wire) { w.WriteString(Preface); w.raw(kindSettings, flagAck, 0, "") })},
		"a frame that is too long":                      {ReasonFrameSize, FrameSizeError, open(newWire()).data(1, true, strings.Repeat("x", frameSize+1))},
		"a long frame of an unknown kind":               {ReasonFrameSize, FrameSizeError, plain(newWire()).raw(77, 0, 0, strings.Repeat("x", frameSize+1))},
		"DATA on stream 0":                              {ReasonStreamID, ProtocolError, plain(newWire()).raw(kindData, 0, 0, "x")},
		"DATA on an idle stream":                        {ReasonStreamID, ProtocolError, plain(newWire()).data(1, true, "x")},
		"DATA on a stream of ours":                      {ReasonStreamID, ProtocolError, plain(newWire()).data(2, true, "x")},
		"DATA on a stream that was passed over":         {ReasonStreamID, ProtocolError, plain(newWire()).headers(5, true, get...).data(3, true, "x")},
		"DATA behind RST_STREAM":                        {ReasonClosed, StreamClosed, ended(newWire()).data(1, true, "x")},
		"DATA with more padding than payload":           {ReasonPadding, ProtocolError, open(newWire()).raw(kindData, flagPadded, 1, "\x05abcd")},
		"padded DATA without a length":                  {ReasonFrameSize, FrameSizeError, open(newWire()).raw(kindData, flagPadded, 1, "")},
		"HEADERS on stream 0":                           {ReasonStreamID, ProtocolError, plain(newWire()).headers(0, true, get...)},
		"HEADERS on an even stream":                     {ReasonStreamID, ProtocolError, plain(newWire()).headers(2, true, get...)},
		"HEADERS on a stream that was passed over":      {ReasonStreamID, ProtocolError, plain(newWire()).headers(5, true, get...).headers(3, true, get...)},
		"HEADERS behind RST_STREAM":                     {ReasonClosed, StreamClosed, ended(newWire()).headers(1, true, get...)},
		"HEADERS with more padding than payload":        {ReasonPadding, ProtocolError, plain(newWire()).raw(kindHeaders, flagPadded|flagEndHeaders, 1, "\x05abcd")},
		"padded HEADERS without a length":               {ReasonFrameSize, FrameSizeError, plain(newWire()).raw(kindHeaders, flagPadded|flagEndHeaders, 1, "")},
		"HEADERS with half a priority":                  {ReasonFrameSize, FrameSizeError, plain(newWire()).raw(kindHeaders, flagPriority|flagEndHeaders, 1, "abcd")},
		"a header block that is interrupted":            {ReasonSequence, ProtocolError, plain(newWire()).raw(kindHeaders, 0, 1, "").raw(kindPing, 0, 0, "12345678")},
		"an unknown frame in a header block":            {ReasonSequence, ProtocolError, plain(newWire()).raw(kindHeaders, 0, 1, "").raw(77, 0, 1, "")},
		"CONTINUATION on another stream":                {ReasonSequence, ProtocolError, plain(newWire()).raw(kindHeaders, 0, 1, "").raw(kindContinuation, flagEndHeaders, 3, "")},
		"CONTINUATION without a header block":           {ReasonSequence, ProtocolError, open(newWire()).raw(kindContinuation, flagEndHeaders, 1, "")},
		"PRIORITY on stream 0":                          {ReasonStreamID, ProtocolError, plain(newWire()).raw(kindPriority, 0, 0, "12345")},
		"PRIORITY that is too short":                    {ReasonFrameSize, FrameSizeError, plain(newWire()).raw(kindPriority, 0, 1, "1234")},
		"PRIORITY that depends on itself":               {ReasonDependency, ProtocolError, plain(newWire()).raw(kindPriority, 0, 1, self)},
		"RST_STREAM on stream 0":                        {ReasonStreamID, ProtocolError, plain(newWire()).raw(kindReset, 0, 0, "1234")},
		"RST_STREAM on an idle stream":                  {ReasonStreamID, ProtocolError, plain(newWire()).raw(kindReset, 0, 1, "1234")},
		"RST_STREAM that is too short":                  {ReasonFrameSize, FrameSizeError, open(newWire()).raw(kindReset, 0, 1, "123")},
		"SETTINGS on a stream":                          {ReasonStreamID, ProtocolError, plain(newWire()).raw(kindSettings, 0, 1, "")},
		"SETTINGS of a broken length":                   {ReasonFrameSize, FrameSizeError, plain(newWire()).raw(kindSettings, 0, 0, "123")},
		"an acknowledgement with a payload":             {ReasonFrameSize, FrameSizeError, plain(newWire()).raw(kindSettings, flagAck, 0, "123456")},
		"ENABLE_PUSH of 2":                              {ReasonSettings, ProtocolError, newWire().greet(http2.Setting{ID: http2.SettingEnablePush, Val: 2})},
		"a window beyond 2^31-1":                        {ReasonWindow, FlowControlError, newWire().greet(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1 << 31})},
		"MAX_FRAME_SIZE below 2^14":                     {ReasonSettings, ProtocolError, newWire().greet(http2.Setting{ID: http2.SettingMaxFrameSize, Val: 1<<14 - 1})},
		"MAX_FRAME_SIZE beyond 2^24-1":                  {ReasonSettings, ProtocolError, newWire().greet(http2.Setting{ID: http2.SettingMaxFrameSize, Val: 1 << 24})},
		"PUSH_PROMISE":                                  {ReasonPush, ProtocolError, open(newWire()).raw(kindPush, flagEndHeaders, 1, "\x00\x00\x00\x02")},
		"PING on a stream":                              {ReasonStreamID, ProtocolError, plain(newWire()).raw(kindPing, 0, 1, "12345678")},
		"PING that is too short":                        {ReasonFrameSize, FrameSizeError, plain(newWire()).raw(kindPing, 0, 0, "1234567")},
		"GOAWAY on a stream":                            {ReasonStreamID, ProtocolError, plain(newWire()).raw(kindGoAway, 0, 1, "12345678")},
		"GOAWAY that is too short":                      {ReasonFrameSize, FrameSizeError, plain(newWire()).raw(kindGoAway, 0, 0, "1234567")},
		"WINDOW_UPDATE that is too short":               {ReasonFrameSize, FrameSizeError, plain(newWire()).raw(kindWindowUpdate, 0, 0, "123")},
		"WINDOW_UPDATE on an idle stream":               {ReasonStreamID, ProtocolError, plain(newWire()).window(1, 1)},
		"WINDOW_UPDATE by 0 of the connection":          {ReasonIncrement, ProtocolError, plain(newWire()).raw(kindWindowUpdate, 0, 0, "\x80\x00\x00\x00")},
		"the connection's window beyond 2^31-1":         {ReasonWindow, FlowControlError, plain(newWire()).window(0, 1<<31-1)},
		"a stream's window beyond by SETTINGS":          {ReasonWindow, FlowControlError, open(newWire()).window(1, 1<<31-1-65535).raw(kindSettings, 0, 0, "\x00\x04\x00\x01\x00\x00")},
		"a header block that is cut off":                {ReasonCompression, CompressionError, plain(newWire()).raw(kindHeaders, flagEndHeaders, 1, "\x82\x40\x05a")},
		"an index that is in no table":                  {ReasonCompression, CompressionError, plain(newWire()).raw(kindHeaders, flagEndHeaders, 1, "\xff\x20")},
		"index 0":                                       {ReasonCompression, CompressionError, plain(newWire()).raw(kindHeaders, flagEndHeaders, 1, "\x80")},
		"a name that is in no table":                    {ReasonCompression, CompressionError, plain(newWire()).raw(kindHeaders, flagEndHeaders, 1, "\x0f\x40\x01a")},
		"an integer that is too large":                  {ReasonCompression, CompressionError, plain(newWire()).raw(kindHeaders, flagEndHeaders, 1, "\xff\xff\xff\xff\xff\xff\xff\x7f")},
		"broken Huffman code":                           {ReasonCompression, CompressionError, plain(newWire()).raw(kindHeaders, flagEndHeaders, 1, "\x00\x81\xff\x01a")},
		"broken Huffman code for the table":             {ReasonCompression, CompressionError, plain(newWire()).raw(kindHeaders, flagEndHeaders, 1, "\x40\x81\xff\x01a")},
		"a table that is larger than allowed":           {ReasonCompression, CompressionError, plain(newWire()).raw(kindHeaders, flagEndHeaders, 1, "\x3f\xe2\x1f")},
		"another table size behind a field":             {ReasonCompression, CompressionError, plain(newWire()).raw(kindHeaders, flagEndHeaders, 1, "\x82\x20")},
		"another table size behind a literal":           {ReasonCompression, CompressionError, plain(newWire()).raw(kindHeaders, flagEndHeaders, 1, "\x00\x01a\x01b\x20")},
		"a block that turns the table over without end": {ReasonBlock, EnhanceYourCalm, plain(newWire()).raw(kindHeaders, flagEndHeaders, 1, strings.Repeat("\x40\x01a\x00", maxKept+1))},
		"three table sizes":                             {ReasonCompression, CompressionError, plain(newWire()).raw(kindHeaders, flagEndHeaders, 1, "\x20\x20\x20\x82")},
	} {
		m := newMachine(Options{})
		m.feed(c.send.take())
		e := errorOf(m.err)
		if e.Reason != c.want || e.Code != c.code || c.want.Code() != c.code {
			t.Errorf("%s: got %v, want %v with %v", name, m.err, c.want, c.code)
			continue
		}
		out := m.sent()
		if last := out[len(out)-1]; !strings.HasPrefix(last, "goaway ") || !strings.Contains(last, c.code.String()+" "+c.want.String()) {
			t.Errorf("%s: got %q as the last frame", name, last)
		}
		if len(m.streams) != 0 || m.c.Streams() != 0 || !m.c.Done() {
			t.Errorf("%s: %d streams are open", name, m.c.Streams())
		}
		if n, err := m.c.Feed(0, []byte("more")); n != 4 || errorOf(err) != e || len(m.out) > 0 {
			t.Errorf("%s: afterwards: got %d, %v, %q", name, n, err, m.out)
		}
	}
}

func write(f func(*wire)) *wire {
	w := newWire()
	f(w)
	return w
}

func TestFramesThatArePassedOver(t *testing.T) {
	m, w := greeted(Options{})
	w.raw(77, 0xff, 0, "anything").raw(78, 0, 9, "").raw(kindPriority, 0, 7, "\x00\x00\x00\x01\x10")
	w.raw(kindSettings, flagAck, 0, "").raw(kindSettings, 0, 0, "\x00\x99\x00\x00\x00\x01") // a setting that nobody knows
	w.headers(1, true, get...).reset(1)
	w.reset(1).window(1, 5) // which may have been on their way
	w.raw(kindPing, 0xf8, 0, "12345678").raw(kindPing, flagAck, 0, "87654321")
	w.raw(kindHeaders, flagPadded|flagPriority|flagEndHeaders|flagEndStream|0xd0, 1<<31|3, "\x03\x80\x00\x00\x05\x10"+string(w.encode(get...))+"\x00\x00\x00") // the reserved bit
	m.feed(w.take())
	if m.err != nil {
		t.Fatal(m.err)
	}
	same(t, "frames", m.sent(), "settings ack", `ping ack true "12345678"`)
	const request = `GET / path / query  host a.example of a.example length 0 [] end true expect false trailer ""`
	same(t, "events", m.log, "request 1 "+request, "reset 1: peer_reset CANCEL", "request 3 "+request)
}
