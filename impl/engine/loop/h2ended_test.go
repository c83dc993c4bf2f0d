package loop

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/sys/unix"

	"github.com/unilb/unilb/impl/engine/enginetest"
	"github.com/unilb/unilb/impl/exchange"
)

// onLoop asks the first loop until it says yes.
func onLoop(t *testing.T, e *Engine, what string, f func(*loop) bool) {
	t.Helper()
	l, ok := e.loops[0], false
	for deadline := time.Now().Add(20 * time.Second); !ok; {
		if time.Now().After(deadline) {
			t.Fatalf("not in 20 s: %s", what)
		}
		if err := l.ask(func() error { ok = f(l); return nil }); err != nil {
			t.Fatal(err)
		}
	}
}

func TestHeldAnswerOutlivesItsConnection(t *testing.T) {
	up := frames2(t, func(_ int, fr *http2.Framer, _ net.Conn) {
		_ = fr.WriteSettings()
		for {
			f, err := fr.ReadFrame()
			if err != nil {
				return
			}
			if f, ok := f.(*http2.HeadersFrame); ok {
				_ = fr.WriteHeaders(http2.HeadersFrameParam{StreamID: f.StreamID, BlockFragment: []byte{0x88}, EndHeaders: true})
				_ = fr.WriteData(f.StreamID, false, []byte("hello "))
				_ = fr.WriteData(f.StreamID, true, []byte("world"))
				return // and the connection with it
			}
		}
	})
	e, url := startBoth(t, Options{Handler: newOver2(up)})
	s := starve(t, url)
	s.ask(1, http.MethodGet, "/")
	s.next(1)
	onLoop(t, e, "the connection to the target has ended", func(l *loop) bool {
		for _, p := range l.pools {
			if len(p.trunks) > 0 {
				return false
			}
		}
		return true
	})
	if err := s.WriteWindowUpdate(1, 100); err != nil {
		t.Fatal(err)
	}
	for got := ""; ; {
		f, ok := s.next(1).(*http2.DataFrame)
		if !ok {
			t.Fatalf("got %v after %q", f, got)
		}
		if got += string(f.Data()); f.StreamEnded() {
			if got != "hello world" {
				t.Errorf("got %q", got)
			}
			return
		}
	}
}

func TestHTTP2ClientThatReadsNothingIsSentAway(t *testing.T) {
	up := answering(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 200<<10)) })
	const limit = 400 * time.Millisecond
	e, err := New(Options{Handler: enginetest.NewHandler(up), HTTP2: true, Poison: true, BodyTimeout: limit, IdleTimeout: limit, HeadTimeout: limit})
	if err != nil {
		t.Fatal(err)
	}
	small := func(option int) func(string, string, syscall.RawConn) error {
		return func(_, _ string, c syscall.RawConn) error {
			return c.Control(func(fd uintptr) { _ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, option, 8<<10) })
		}
	}
	ln, err := e.Listen(t.Context(), "127.0.0.1:0", nil, small(unix.SO_SNDBUF))
	if err != nil {
		t.Fatal(err)
	}
	d := net.Dialer{Control: small(unix.SO_RCVBUF)}
	c, err := d.Dial("tcp", enginetest.Serve(t, e, ln, false))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, http2.ClientPreface); err != nil {
		t.Fatal(err)
	}
	s := &starving{http2.NewFramer(c, c), t}
	_ = s.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1<<31 - 1})
	_ = s.WriteWindowUpdate(0, 1<<30)
	s.ask(1, http.MethodGet, "/")
	onLoop(t, e, "the answer waits for its client, and its stream has ended", func(l *loop) bool {
		for c := range l.clients {
			return c.mux != nil && len(c.mux.streams) == 0 && c.waiting() > 0
		}
		return false
	})
	onLoop(t, e, "a client that reads nothing is sent away", func(l *loop) bool { return len(l.clients) == 0 })
}

func TestIdleConnectionOfHTTP2ThatTheTargetLeavesIsClosed(t *testing.T) {
	closed := make(chan struct{})
	leave := make(chan struct{})
	up := frames2(t, func(_ int, fr *http2.Framer, c net.Conn) {
		_ = fr.WriteSettings()
		for {
			f, err := fr.ReadFrame()
			if err != nil {
				return
			}
			if f, ok := f.(*http2.HeadersFrame); ok {
				_ = fr.WriteHeaders(http2.HeadersFrameParam{StreamID: f.StreamID, BlockFragment: []byte{0x88}, EndHeaders: true, EndStream: true})
				<-leave
				_ = fr.WriteGoAway(f.StreamID, http2.ErrCodeNo, nil)
				_, _ = io.Copy(io.Discard, c)
				close(closed)
				return
			}
		}
	})
	h := newOver2(up)
	h.pool.IdleTimeout = time.Hour
	e, addr := startLoops(t, Options{Handler: h})
	if status, _ := ask(t, "http://"+addr); status != 200 {
		t.Fatal(status)
	}
	onLoop(t, e, "the connection is idle", func(l *loop) bool {
		for _, p := range l.pools {
			return len(p.trunks) == 1 && p.trunks[0].idle()
		}
		return false
	})
	close(leave)
	select {
	case <-closed:
	case <-time.After(20 * time.Second):
		t.Error("an idle connection is still open 20 s after GOAWAY")
	}
}

func TestNewPoolTakesThePlaceOfOneThatIsIdle(t *testing.T) {
	const most = 4
	at := answering(t, func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.RemoteAddr) })
	h := &among{targets: map[string]*exchange.Target{}, connect: time.Minute}
	for i := range most + 1 {
		h.targets[fmt.Sprintf("/%d", i)] = &exchange.Target{Name: at, Pool: exchange.Pool{Address: at, Generation: int64(i), IdleConns: 1, IdleTimeout: time.Minute}}
	}
	e, addr := startLoops(t, Options{Handler: h})
	l := e.loops[0]
	if err := l.ask(func() error { l.mostPools = most; return nil }); err != nil {
		t.Fatal(err)
	}
	get := func(i int) string {
		resp, err := http.Get(fmt.Sprintf("http://%s/%d", addr, i))
		return whole(t, resp, err)
	}
	for i := range most {
		get(i)
	}
	from := map[string]bool{}
	for range 5 {
		from[get(most)] = true
	}
	if len(from) > 1 {
		t.Errorf("5 requests of one client took %d connections, want one", len(from))
	}
}

// TestAnswerToHEADEndsWithItsHead, also when the target has not ended its stream.
func TestAnswerToHEADEndsWithItsHead(t *testing.T) {
	resets := make(chan string, 1)
	up := frames2(t, func(_ int, fr *http2.Framer, _ net.Conn) {
		_ = fr.WriteSettings()
		for {
			f, err := fr.ReadFrame()
			if err != nil {
				return
			}
			switch f := f.(type) {
			case *http2.HeadersFrame:
				_ = fr.WriteHeaders(http2.HeadersFrameParam{StreamID: f.StreamID, BlockFragment: []byte{0x88, 0x0f, 0x0d, 1, '5'}, EndHeaders: true})
			case *http2.RSTStreamFrame:
				resets <- f.ErrCode.String()
				_ = fr.WriteData(f.StreamID, true, nil) // was on its way
			}
		}
	})
	h := newOver2(up)
	_, addr := startLoops(t, Options{Handler: h})
	for range 2 {
		resp, err := http.Head("http://" + addr)
		if whole(t, resp, err); resp.StatusCode != 200 || resp.ContentLength != 5 {
			t.Errorf("%s, length %d", resp.Status, resp.ContentLength)
		}
		if r := <-h.done; r.Cut {
			t.Errorf("record %+v", r)
		}
		if code := <-resets; code != "NO_ERROR" {
			t.Errorf("the stream is reset with %s", code)
		}
	}
}
