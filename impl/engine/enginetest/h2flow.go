package enginetest

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/unilb/unilb/impl/exchange"
)

// echo answers each piece of a body as it comes, and its head before the first.
func echo(w http.ResponseWriter, r *http.Request) {
	rc := http.NewResponseController(w)
	_ = rc.EnableFullDuplex() // HTTP/2 has it in any case
	_ = rc.Flush()            // the next write fails where this does
	buf := make([]byte, 32<<10)
	for {
		n, err := r.Body.Read(buf)
		_, _ = w.Write(buf[:n]) // likewise
		_ = rc.Flush()
		if err != nil {
			return
		}
	}
}

func h2MessagesGoToAndFroOneByOne(t *testing.T, b bench) {
	url := b.serve(t, b.handler(b.target(t, echo)))
	c := b.client(t)
	for range 2 {
		pr, pw := io.Pipe()
		resp, err := c.Post(url, "", pr)
		if err != nil {
			t.Fatal(err)
		}
		for _, word := range []string{"one", "two", "three"} {
			_, _ = io.WriteString(pw, word) // the answer tells
			got := make([]byte, len(word))
			if _, err := io.ReadFull(resp.Body, got); err != nil || string(got) != word {
				t.Fatalf("echo of %s: %q %v", word, got, err)
			}
		}
		_ = pw.Close()
		if rest := whole(t, resp, nil); rest != "" {
			t.Errorf("%q follows", rest)
		}
	}
}

func h2LargeBodiesPassBothWaysAtOnce(t *testing.T, b bench) {
	url := b.serve(t, b.handler(b.target(t, echo)))
	c := b.client(t)
	want := make([]byte, 1<<20)
	_, _ = rand.Read(want)
	for _, body := range []io.Reader{bytes.NewReader(want), io.MultiReader(bytes.NewReader(want))} { // of known length, and not
		resp, err := c.Post(url, "", body)
		if got := whole(t, resp, err); got != string(want) {
			t.Errorf("%d bytes came back, not the %d that were sent", len(got), len(want))
		}
	}
}

func h2RequestsShareAConnection(t *testing.T, b bench) {
	const many = 40
	var mu sync.Mutex
	peers := map[string]bool{}
	all, came := make(chan struct{}), 0
	up := b.target(t, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		peers[r.RemoteAddr] = true
		if came++; came == many {
			close(all)
		}
		mu.Unlock()
		<-all // so none has ended before the last has begun
		fmt.Fprint(w, r.URL.Path)
	})
	url := b.serve(t, b.handler(up))
	c := b.client(t)
	var wg sync.WaitGroup
	for i := range many {
		wg.Go(func() {
			resp, err := c.Get(fmt.Sprintf("%s/%d", url, i))
			if err != nil {
				t.Error(err)
				return
			}
			defer resp.Body.Close()
			if got, err := io.ReadAll(resp.Body); err != nil || string(got) != fmt.Sprintf("/%d", i) {
				t.Errorf("request %d: %q %v", i, got, err)
			}
		})
	}
	wg.Wait()
	if len(peers) > 4 {
		t.Errorf("%d requests at a time used %d connections, want 1 or few", many, len(peers))
	}
}

// h2StreamsBeyondTheBoundWait, or take another connection.
func h2StreamsBeyondTheBoundWait(t *testing.T, b bench) {
	up := b.target(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "ok") }, func(s *http.Server) { s.HTTP2 = &http.HTTP2Config{MaxConcurrentStreams: 2} })
	// The server of Go's library refuses a stream within its bound for a moment after
	// another has ended: one that asks again is served.
	h := b.handler(up, up, up, up)
	url := b.serve(t, h)
	c := b.client(t)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if status, body := post(t, c, url, "hello"); status != 200 || body != "ok" {
				t.Errorf("%d %q, failures %+v", status, body, h.Failures())
			}
		})
	}
	wg.Wait()
}

// h2EarlyAnswerArrives: the target has answered whole before the body has come.
func h2EarlyAnswerArrives(t *testing.T, b bench) {
	up := b.target(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/no" {
			w.WriteHeader(http.StatusForbidden)
		}
		fmt.Fprint(w, "early")
	})
	h := b.handler(up)
	url := b.serve(t, h)
	c := b.client(t)
	for path, want := range map[string]int{"/no": 403, "/yes": 200} {
		pr, pw := io.Pipe()
		ctx, cancel := context.WithCancel(t.Context())
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, url+path, pr)
		if err != nil {
			t.Fatal(err)
		}
		go func() { _, _ = io.WriteString(pw, "begin") }() // and never ends
		resp, err := c.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		got := make([]byte, len("early"))
		if _, err := io.ReadFull(resp.Body, got); err != nil || resp.StatusCode != want || string(got) != "early" {
			t.Errorf("%s: %d %q %v", path, resp.StatusCode, got, err)
		}
		select {
		case r := <-h.Done:
			if r.Status != want {
				t.Errorf("%s: record %+v", path, r)
			}
		case <-time.After(4 * time.Second): // what the test's limits of a try are not met by
			t.Errorf("%s: the exchange goes on after its answer", path)
		}
		cancel()
		_ = pr.Close()
		_ = resp.Body.Close()
	}
	if status, body := post(t, c, url, "hello"); status != 200 || body != "early" {
		t.Errorf("afterwards: %d %q", status, body)
	}
}

// h2SlowClientHoldsUpNobodyElse: two answers come by one connection, and the first
// is not read.
func h2SlowClientHoldsUpNobodyElse(t *testing.T, b bench) {
	up := b.target(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(w, io.LimitReader(zeros{}, 32<<20)) // the reader may go
	})
	url := b.serve(t, b.handler(up))
	slow, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer slow.Close()
	_, _ = io.WriteString(slow, "GET /slow HTTP/1.1\r\nHost: h\r\n\r\n") // the read tells
	if _, err := io.ReadFull(slow, make([]byte, 64<<10)); err != nil {
		t.Fatal(err)
	}
	resp, err := b.client(t).Get(url + "/quick")
	if got := whole(t, resp, err); len(got) != 32<<20 {
		t.Errorf("%d bytes beside a slow client, want %d", len(got), 32<<20)
	}
}

func h2ClientThatLeavesEndsItsStream(t *testing.T, b bench) {
	entered, gone := make(chan struct{}, 1), make(chan string, 1)
	var mu sync.Mutex
	peers := map[string]bool{}
	up := b.target(t, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		peers[r.RemoteAddr] = true
		mu.Unlock()
		if r.URL.Path == "/stay" {
			fmt.Fprint(w, "ok")
			return
		}
		if r.URL.Path == "/late" {
			fmt.Fprint(w, "begin")
			_ = http.NewResponseController(w).Flush() // the context tells
		}
		entered <- struct{}{}
		<-r.Context().Done()
		gone <- r.URL.Path
	})
	h := b.handler(up)
	url := b.serve(t, h)
	c := b.client(t)
	for _, path := range []string{"/early", "/late"} {
		ctx, cancel := context.WithCancel(t.Context())
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		failed := make(chan struct{})
		begun := make(chan struct{})
		go func() {
			defer close(failed)
			if resp, err := c.Do(req); err == nil {
				_, _ = io.ReadFull(resp.Body, make([]byte, len("begin"))) // the record tells
				close(begun)
				_, _ = io.Copy(io.Discard, resp.Body) // broken, as it shall be
				resp.Body.Close()
			}
		}()
		if <-entered; path == "/late" {
			<-begun
		}
		cancel()
		<-failed
		if got := <-gone; got != path {
			t.Errorf("the stream of %s ended, want that of %s", got, path)
		}
		want := exchange.CutClientGone
		if b.two {
			want = exchange.CutClientReset
		}
		if r := <-h.Done; !r.Cut || r.CutReason != want {
			t.Errorf("%s: record %+v (%s), want cut, %s", path, r, r.CutReason, want)
		}
		if resp, err := c.Get(url + "/stay"); whole(t, resp, err) != "ok" {
			t.Errorf("%s: the connection is of no use any more", path)
		}
		<-h.Done
	}
	if f := h.Failures(); len(f) != 1 || f[0].Kind != exchange.ClientGone || len(peers) != 1 {
		t.Errorf("failures %+v; %d connections, want 1", f, len(peers))
	}
}
