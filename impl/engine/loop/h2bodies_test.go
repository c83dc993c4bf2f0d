package loop

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/http2"
)

func TestBodiesOfHTTP2TargetsAreFiltered(t *testing.T) {
	up := target2(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/empty":
		case "/trailers":
			w.Header().Set("Trailer", "X-Sum")
			fmt.Fprint(w, "quiet")
			w.Header().Set("X-Sum", "42")
		default:
			fmt.Fprint(w, "quiet")
			_ = http.NewResponseController(w).Flush()
			fmt.Fprint(w, " please")
		}
	}, nil)
	h := newOver2(up)
	h.filter = func(b []byte, last bool) []byte {
		out := bytes.ToUpper(b)
		if last {
			out = append(out, '!')
		}
		return out
	}
	_, addr := startLoops(t, Options{Handler: h, HTTP2: true})
	for name, c := range map[string]*http.Client{"HTTP/1.1": http.DefaultClient, "HTTP/2": version2(t)} {
		for path, want := range map[string]string{"/": "QUIET PLEASE!", "/empty": "!", "/trailers": "QUIET!"} {
			resp, err := c.Get("http://" + addr + path)
			if got := whole(t, resp, err); got != want || (path == "/trailers") != (resp.Trailer.Get("X-Sum") == "42") {
				t.Errorf("%s %s: %q, trailers %v", name, path, got, resp.Trailer)
			}
		}
	}
}

// TestTargetThatTakesNoBodyStopsTheClient: what lies in between is bounded, and other
// streams of the connection go on.
func TestTargetThatTakesNoBodyStopsTheClient(t *testing.T) {
	goOn := make(chan struct{})
	up := target2(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			<-goOn
		}
		n, _ := io.Copy(io.Discard, r.Body)
		fmt.Fprint(w, n)
	}, nil)
	h := newOver2(up)
	h.plan.Send = time.Minute
	_, addr := startLoops(t, Options{Handler: h, HTTP2: true})
	const size = 64 << 20
	for name, c := range map[string]*http.Client{"HTTP/1.1": {Transport: &http.Transport{}}, "HTTP/2": version2(t)} {
		taken := &counting{}
		answer := make(chan string, 1)
		go func() {
			resp, err := c.Post("http://"+addr, "", io.TeeReader(io.LimitReader(zeros{}, size), taken))
			if err != nil {
				answer <- err.Error()
				return
			}
			b, err := io.ReadAll(resp.Body)
			answer <- fmt.Sprint(string(b), err)
		}()
		for still := int64(-1); still != taken.n.Load(); { // it has stopped
			still = taken.n.Load()
			for range 50 {
				pause(t)
			}
		}
		if n := taken.n.Load(); n > 24<<20 { // with the buffers of two sockets
			t.Errorf("%s: %d bytes were taken by nobody", name, n)
		}
		if status, body := ask(t, "http://"+addr+"/other"); status != 200 || body != "0" {
			t.Errorf("%s: beside it: %d %q", name, status, body)
		}
		goOn <- struct{}{}
		if got := <-answer; got != fmt.Sprint(size)+"<nil>" {
			t.Errorf("%s: %q, want %d", name, got, size)
		}
	}
}

type counting struct{ n atomic.Int64 }

func (c *counting) Write(b []byte) (int, error) { c.n.Add(int64(len(b))); return len(b), nil }

// TestMessagesMayPauseOnceTheAnswerHasBegun: neither side is slow when both have nothing to
// say for a while, as long as the target's time to read is.
func TestMessagesMayPauseOnceTheAnswerHasBegun(t *testing.T) {
	up := target2(t, func(w http.ResponseWriter, r *http.Request) {
		rc := http.NewResponseController(w)
		_ = rc.EnableFullDuplex()
		_ = rc.Flush()
		buf := make([]byte, 16)
		for {
			n, err := r.Body.Read(buf)
			_, _ = w.Write(buf[:n])
			_ = rc.Flush()
			if err != nil {
				return
			}
		}
	}, nil)
	h := newOver2(up)
	const limit = 150 * time.Millisecond
	_, addr := startLoops(t, Options{Handler: h, HTTP2: true, BodyTimeout: limit})
	for name, c := range map[string]*http.Client{"HTTP/1.1": {Transport: &http.Transport{}}, "HTTP/2": version2(t)} {
		pr, pw := io.Pipe()
		resp, err := c.Post("http://"+addr, "", pr)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for range 3 {
			for begin := time.Now(); time.Since(begin) < 2*limit; {
				pause(t)
			}
			go func() { _, _ = io.WriteString(pw, "message") }()
			got := make([]byte, len("message"))
			if _, err := io.ReadFull(resp.Body, got); err != nil {
				t.Fatalf("%s: %v after %q", name, err, got)
			}
		}
		_ = pw.Close()
		if rest := whole(t, resp, nil); rest != "" {
			t.Errorf("%s: %q follows", name, rest)
		}
	}
}

// TestSlowClientOfAWholeAnswerGetsAllOfIt: the target's time to read ends with the answer.
func TestSlowClientOfAWholeAnswerGetsAllOfIt(t *testing.T) {
	const size = 8 << 20
	up := target2(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Trailer", "X-Sum")
		_, _ = io.CopyN(w, zeros{}, size)
		w.Header().Set("X-Sum", "42")
	}, nil)
	h := newOver2(up)
	h.plan.Read = 200 * time.Millisecond
	_, addr := startLoops(t, Options{Handler: h, HTTP2: true})
	for name, c := range map[string]*http.Client{"HTTP/1.1": {Transport: &http.Transport{}}, "HTTP/2": version2(t)} {
		resp, err := c.Get("http://" + addr)
		if err != nil {
			t.Fatal(err)
		}
		n := int64(0)
		for range 4 {
			for begin := time.Now(); time.Since(begin) < 2*h.plan.Read; {
				pause(t)
			}
			k, err := io.CopyN(io.Discard, resp.Body, size/8)
			if n += k; err != nil {
				t.Fatalf("%s: %d bytes, %v", name, n, err)
			}
		}
		k, err := io.Copy(io.Discard, resp.Body)
		if n += k; n != size || err != nil || resp.Trailer.Get("X-Sum") != "42" {
			t.Errorf("%s: %d of %d bytes, %v, trailers %v", name, n, size, err, resp.Trailer)
		}
		_ = resp.Body.Close()
	}
}

// TestClientThatPausesAtTheEndOfAWindowIsWaitedFor: the target has nothing to take.
func TestClientThatPausesAtTheEndOfAWindowIsWaitedFor(t *testing.T) {
	const window = "12345"
	up := frames2(t, func(_ int, fr *http2.Framer, nc net.Conn) {
		_ = fr.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: uint32(len(window))})
		answer := func(fr *http2.Framer, id uint32) {
			_ = fr.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: []byte{0x88}, EndHeaders: true, EndStream: true})
		}
		for {
			f, err := fr.ReadFrame()
			if err != nil {
				return
			}
			switch f := f.(type) {
			case *http2.HeadersFrame:
				if f.StreamEnded() {
					answer(fr, f.StreamID)
				}
			case *http2.DataFrame:
				if string(f.Data()) == window {
					id := f.StreamID // a frame is the framer's, and over with the next
					time.AfterFunc(500*time.Millisecond, func() { answer(http2.NewFramer(nc, nil), id) })
				}
			}
		}
	})
	h := newOver2(up)
	h.plan.Send = 100 * time.Millisecond
	_, addr := startLoops(t, Options{Handler: h, HTTP2: true})
	for name, c := range map[string]*http.Client{"HTTP/1.1": {Transport: &http.Transport{}}, "HTTP/2": version2(t)} {
		resp, err := c.Get("http://" + addr) // the window is known then
		whole(t, resp, err)
		pr, pw := io.Pipe()
		go func() { _, _ = io.WriteString(pw, window) }()
		resp, err = c.Post("http://"+addr, "", pr)
		if whole(t, resp, err); resp.StatusCode != 200 {
			t.Errorf("%s: %s, failures %+v", name, resp.Status, h.failed())
		}
		_ = pw.Close()
	}
}
