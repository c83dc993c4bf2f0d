package h2

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// startServer serves on loopback, and returns a client of it and its connections.
func startServer(t *testing.T, o Options) (*http.Client, string, chan *netConn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	conns := make(chan *netConn, 16)
	go serve(ln, o, func(c *netConn) { conns <- c })
	tr := &http.Transport{Protocols: new(http.Protocols)}
	tr.Protocols.SetUnencryptedHTTP2(true)
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr, Timeout: time.Minute}, "http://" + ln.Addr().String(), conns
}

// exchanged sends a request and returns the answer with its whole body.
func exchanged(t *testing.T, c *http.Client, r *http.Request) (*http.Response, string) {
	t.Helper()
	resp, err := c.Do(r)
	if err != nil {
		t.Fatalf("%s %s: %v", r.Method, r.URL.Path, err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("%s %s: body: %v", r.Method, r.URL.Path, err)
	}
	return resp, string(b)
}

func request(t *testing.T, method, url string, body io.Reader) *http.Request {
	t.Helper()
	r, err := http.NewRequest(method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// mebibyte hides its length, so that the client announces none.
func mebibyte() io.Reader { return io.MultiReader(bytes.NewReader(bytes.Repeat(pattern, 16))) }

func TestGoClientGetsItsAnswers(t *testing.T) {
	c, base, _ := startServer(t, Options{})
	for range 3 { // the second and third from the tables of header compression
		resp, body := exchanged(t, c, request(t, "GET", base+"/x?y=z", nil))
		if resp.StatusCode != 200 || body != "hello\n" || resp.ContentLength != 6 || resp.Header.Get("Server") != "us" || resp.Header.Get("Content-Type") != "text/plain" {
			t.Fatalf("got %d %q, %v", resp.StatusCode, body, resp.Header)
		}
	}
	if resp, body := exchanged(t, c, request(t, "HEAD", base+"/", nil)); resp.StatusCode != 200 || body != "" || resp.ContentLength != 6 {
		t.Errorf("HEAD: got %d %q, length %d", resp.StatusCode, body, resp.ContentLength)
	}
	if resp, body := exchanged(t, c, request(t, "POST", base+"/", strings.NewReader("abc"))); resp.StatusCode != 200 || body != "hello\n" {
		t.Errorf("POST: got %d %q", resp.StatusCode, body)
	}
}

func TestBodiesOfAMebibyteGoBothWaysWithTrailers(t *testing.T) {
	c, base, _ := startServer(t, Options{StreamWindow: 64 << 10, ConnWindow: 96 << 10})
	want := strings.Repeat(string(pattern), 16)
	r := request(t, "POST", base+"/echo", mebibyte())
	r.Trailer = http.Header{"X-Sum": {"17"}, "Cookie": {"no"}}
	resp, body := exchanged(t, c, r)
	if body != want {
		t.Errorf("got %d bytes, want the %d that were sent", len(body), len(want))
	}
	if got := resp.Trailer.Get("X-Sum"); got != "17" || len(resp.Trailer) != 1 {
		t.Errorf("got the trailers %v, want X-Sum alone", resp.Trailer)
	}
	if _, body := exchanged(t, c, request(t, "GET", base+"/make/1048576", nil)); body != want {
		t.Errorf("got %d bytes, want %d", len(body), len(want))
	}
}

func TestHundredStreamsGoInParallel(t *testing.T) {
	c, base, conns := startServer(t, Options{StreamWindow: 32 << 10})
	exchanged(t, c, request(t, "GET", base+"/", nil)) // or the client dials for each
	var all sync.WaitGroup
	for i := range 100 {
		all.Go(func() {
			if i%2 == 0 {
				if _, body := exchanged(t, c, request(t, "GET", base+"/make/200000", nil)); len(body) != 200000 {
					t.Errorf("stream %d: got %d bytes", i, len(body))
				}
				return
			}
			sent := strings.Repeat(string(rune('a'+i%26)), 100000)
			if _, body := exchanged(t, c, request(t, "POST", base+"/echo", strings.NewReader(sent))); body != sent {
				t.Errorf("stream %d: got %d bytes, want %d", i, len(body), len(sent))
			}
		})
	}
	all.Wait()
	if len(conns) != 1 {
		t.Errorf("got %d connections, want one", len(conns))
	}
}

func TestResetStreamsLeaveTheOthersAlone(t *testing.T) {
	c, base, conns := startServer(t, Options{})
	for i := range 10 { // each is given up in the midst of its answer
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		pr, pw := io.Pipe()
		go func() {
			_, err := c.Do(request(t, "POST", base+"/echo", pr).WithContext(ctx))
			done <- err
		}()
		_, _ = pw.Write([]byte("x"))
		if err := <-done; err != nil {
			t.Fatalf("request %d: %v", i, err)
		}
		cancel()
		if _, body := exchanged(t, c, request(t, "GET", base+"/", nil)); body != "hello\n" {
			t.Fatalf("after %d resets: got %q", i+1, body)
		}
	}
	n := <-conns
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.errs) > 0 || len(conns) > 0 {
		t.Errorf("got the errors %v and %d more connections", n.errs, len(conns))
	}
}

func TestSlowReaderDoesNotHoldUpTheOthers(t *testing.T) {
	c, base, conns := startServer(t, Options{HighWater: 64 << 10})
	resp, err := c.Do(request(t, "GET", base+"/make/50000000", nil))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if _, err := io.ReadFull(resp.Body, make([]byte, 1000)); err != nil { // and no more for now
		t.Fatal(err)
	}
	for range 20 {
		if _, body := exchanged(t, c, request(t, "GET", base+"/make/100000", nil)); len(body) != 100000 {
			t.Fatalf("beside the slow one: got %d bytes", len(body))
		}
	}
	n, err := io.Copy(io.Discard, resp.Body)
	if err != nil || n != 50000000-1000 {
		t.Errorf("the slow one: got %d bytes, %v", n, err)
	}
	nc := <-conns
	nc.mu.Lock()
	defer nc.mu.Unlock()
	if most := 64<<10 + 20*(headerSize+frameSize); nc.most > most {
		t.Errorf("got up to %d bytes waiting, want at most %d", nc.most, most)
	}
}

func TestDrainLetsStreamsEndAndNoneBegin(t *testing.T) {
	c, base, conns := startServer(t, Options{})
	pr, pw := io.Pipe()
	resp, err := c.Do(request(t, "POST", base+"/echo", pr))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	first := <-conns
	first.mu.Lock()
	first.c.Drain()
	first.mu.Unlock()
	// The client learns of it: sooner or later its requests go over another connection.
	for len(conns) == 0 {
		if _, body := exchanged(t, c, request(t, "GET", base+"/", nil)); body != "hello\n" {
			t.Fatalf("got %q", body)
		}
	}
	go func() { _, _ = pw.Write([]byte("late")); pw.Close() }()
	if b, err := io.ReadAll(resp.Body); string(b) != "late" || err != nil {
		t.Errorf("got %q, %v of the stream that was open", b, err)
	}
	first.mu.Lock()
	defer first.mu.Unlock()
	for !first.c.Done() {
		first.cond.Wait()
	}
	if len(first.errs) > 0 {
		t.Errorf("got %v", first.errs)
	}
}

func TestEarlyAnswerEndsTheRequest(t *testing.T) {
	c, base, conns := startServer(t, Options{})
	pr, pw := io.Pipe()
	defer pw.Close()
	resp, body := exchanged(t, c, request(t, "POST", base+"/early", pr))
	if resp.StatusCode != 200 || body != "hello\n" {
		t.Fatalf("got %d %q", resp.StatusCode, body)
	}
	if _, body := exchanged(t, c, request(t, "GET", base+"/", nil)); body != "hello\n" {
		t.Errorf("after it: got %q", body)
	}
	n := <-conns
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.errs) > 0 || n.c.Streams() != 0 {
		t.Errorf("got %v, %d streams open", n.errs, n.c.Streams())
	}
}

func TestGoClientIsToldThatItsHeadIsTooLong(t *testing.T) {
	c, base, _ := startServer(t, Options{MaxHead: 4096})
	r := request(t, "GET", base+"/", nil)
	r.Header.Set("X-Long", strings.Repeat("x", 5000))
	resp, err := c.Do(r)
	if err == nil {
		resp.Body.Close()
		if resp.StatusCode != 431 {
			t.Errorf("got %d, want 431", resp.StatusCode)
		}
	} else if !strings.Contains(err.Error(), "header list") { // it knows our limit
		t.Errorf("got %v", err)
	}
	if _, body := exchanged(t, c, request(t, "GET", base+"/%2e%2e", nil)); body != "" {
		t.Errorf("got %q of a path above the root", body)
	}
}

func TestContinueIsSentWhenItIsExpected(t *testing.T) {
	c, base, _ := startServer(t, Options{})
	r := request(t, "POST", base+"/echo", strings.NewReader("body"))
	r.Header.Set("Expect", "100-continue")
	_, body := exchanged(t, c, r)
	if body != "body" {
		t.Errorf("got %q", body)
	}
	if _, err := c.Do(request(t, "GET", base+"/never", nil).WithContext(timeUp(t))); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v of a request that is never answered", err)
	}
}

func timeUp(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	t.Cleanup(cancel)
	return ctx
}
