package std

import (
	"bytes"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"github.com/unilb/unilb/impl/engine/enginetest"
	"github.com/unilb/unilb/impl/exchange"
)

// TestBrokenRulesOfHTTP2AreCounted, as far as the library names them (Go 1.26): once each,
// and not what was on its way when an answer ended. Nothing of it is a warning, because
// every client can bring it about.
func TestBrokenRulesOfHTTP2AreCounted(t *testing.T) {
	ping := func(f *http2.Framer) error {
		return f.WriteRawFrame(http2.FramePing, 0, 1, make([]byte, 8)) // of a stream
	}
	for name, tc := range map[string]struct {
		send func(*http2.Framer) error
		want int64
	}{
		"nothing":             {func(*http2.Framer) error { return nil }, 0},
		"a PING on a stream":  {ping, 1},
		"a stream of our own": {func(f *http2.Framer) error { return begin(f, 2) }, 1},
		"a reset of nothing":  {func(f *http2.Framer) error { return f.WriteRSTStream(7, http2.ErrCodeCancel) }, 1},
		"data that come late": {func(f *http2.Framer) error { return f.WriteData(1, true, []byte("late")) }, 0},
	} {
		var text locked
		e, addr := start(t, Options{Handler: enginetest.NewHandler(), HTTP2: true, Log: slog.New(slog.NewTextHandler(&text, nil))})
		f := enginetest.DialHTTP2(t, "http://"+addr)
		if err := f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, EndHeaders: true, BlockFragment: enginetest.Block(":method", "POST", ":scheme", "http", ":authority", "h", ":path", "/")}); err != nil {
			t.Fatal(err)
		}
		for { // it is answered before its body comes
			if _, ok := enginetest.NextFrame(t, f, 1).(*http2.RSTStreamFrame); ok {
				break
			}
		}
		if err := tc.send(f); err != nil {
			t.Fatal(err)
		}
		if err := begin(f, 3); err != nil { // who is heard after it was heard
			t.Fatal(err)
		}
		for ended := false; !ended; {
			frame, err := f.ReadFrame()
			if err != nil {
				break
			}
			h, ok := frame.(*http2.HeadersFrame)
			ended = ok && h.StreamID == 3
		}
		if got := e.Refused()["library"]; got != tc.want {
			t.Errorf("%s: %d counted, want %d", name, got, tc.want)
		}
		if text.String() != "" {
			t.Errorf("%s: the log says %s", name, text.String())
		}
	}
}

func begin(f *http2.Framer, stream uint32) error {
	return f.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, EndHeaders: true, EndStream: true,
		BlockFragment: enginetest.Block(":method", "GET", ":scheme", "http", ":authority", "h", ":path", "/")})
}

// locked is a buffer that many write to.
type locked struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *locked) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *locked) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// TestLimitsOfHTTP2AreTold to the client, with the first frame.
func TestLimitsOfHTTP2AreTold(t *testing.T) {
	_, addr := start(t, Options{Handler: enginetest.NewHandler(), HTTP2: true, MaxHead: 10_000})
	frame, err := enginetest.DialHTTP2(t, "http://"+addr).ReadFrame()
	if err != nil {
		t.Fatal(err)
	}
	settings, ok := frame.(*http2.SettingsFrame)
	if !ok {
		t.Fatalf("got %v, want SETTINGS", frame)
	}
	const fields = 10 * 32 // the library adds what 10 of them count beside their text
	for id, want := range map[http2.SettingID]uint32{http2.SettingMaxConcurrentStreams: maxStreams, http2.SettingInitialWindowSize: windowOfStream, http2.SettingMaxHeaderListSize: 10_000 + fields} {
		if got, _ := settings.Value(id); got != want {
			t.Errorf("%s is %d, want %d", id, got, want)
		}
	}
}

// TestClientOfHTTP2ThatShutsDownItsSideIsGone, wherever in a frame: HTTP/1.1 alone waits.
func TestClientOfHTTP2ThatShutsDownItsSideIsGone(t *testing.T) {
	asked := make(chan struct{}, 1)
	h := enginetest.NewHandler(enginetest.Backend(t, func(_ http.ResponseWriter, r *http.Request) {
		asked <- struct{}{}
		<-r.Context().Done()
	}))
	_, addr := start(t, Options{Handler: h, HTTP2: true, HalfClose: time.Minute})
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, _ = io.WriteString(c, http2.ClientPreface) // the next write fails where this does
	f := http2.NewFramer(c, c)
	_ = f.WriteSettings() // the same
	if err := begin(f, 1); err != nil {
		t.Fatal(err)
	}
	<-asked
	if _, err := c.Write(make([]byte, frameHead-1)); err != nil { // so that one byte is read next
		t.Fatal(err)
	}
	_ = c.(*net.TCPConn).CloseWrite() // sockets can
	select {
	case r := <-h.Done:
		if !r.Cut || r.CutReason != exchange.CutClientGone {
			t.Errorf("record %+v (%s), want cut, %s", r, r.CutReason, exchange.CutClientGone)
		}
	case <-time.After(10 * time.Second):
		t.Error("it is still waited for")
	}
}

// TestStreamsThatHaveEndedAreNotReset: the limit of an answer ends with it.
func TestStreamsThatHaveEndedAreNotReset(t *testing.T) {
	const limit = 100 * time.Millisecond
	h := enginetest.NewHandler(enginetest.Backend(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") }))
	_, addr := start(t, Options{Handler: h, HTTP2: true, BodyTimeout: limit})
	f := enginetest.DialHTTP2(t, "http://"+addr)
	for i := range 200 {
		stream := uint32(2*i + 1)
		if err := begin(f, stream); err != nil {
			t.Fatal(err)
		}
		for ended := false; !ended; {
			d, ok := enginetest.NextFrame(t, f, stream).(*http2.DataFrame)
			ended = ok && d.StreamEnded()
		}
		<-h.Done
	}
	<-time.After(3 * limit) // nothing says that nothing comes
	if err := f.WritePing(false, [8]byte{1}); err != nil {
		t.Fatal(err)
	}
	for {
		frame, err := f.ReadFrame()
		if err != nil {
			t.Fatal(err)
		}
		switch frame := frame.(type) {
		case *http2.RSTStreamFrame:
			t.Fatalf("stream %d is reset with %s behind its end", frame.StreamID, frame.ErrCode)
		case *http2.PingFrame:
			return
		}
	}
}
