package h2

import (
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// seenByLibrary has net/http's server read b, and returns the whole requests that its
// handler saw, once those that are wanted are among them, or nothing more comes; false:
// it has ended the connection before.
func seenByLibrary(t *testing.T, b []byte, want []string) ([]string, bool) {
	t.Helper()
	var mu sync.Mutex
	var seen []string
	enough := make(chan struct{}, 1000)
	srv := &http.Server{Protocols: new(http.Protocols), ReadHeaderTimeout: time.Minute, ErrorLog: log.New(io.Discard, "", 0), Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // cut off: not whole
		}
		mu.Lock()
		seen = append(seen, requestText(r.Method, r.RequestURI, r.Host, r.Header, string(body)))
		mu.Unlock()
		enough <- struct{}{}
	})}
	srv.Protocols.SetUnencryptedHTTP2(true)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go srv.Serve(ln)
	defer srv.Close()
	c, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(time.Minute))
	w := newWire()
	w.greet().Write(b)
	if _, err := c.Write(w.take()); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, c) // until the server has had enough
		close(done)
	}()
	for {
		mu.Lock()
		got := slices.Clone(seen)
		mu.Unlock()
		if !slices.ContainsFunc(want, func(q string) bool { return !slices.Contains(got, q) }) {
			return got, true
		}
		select {
		case <-enough:
		case <-done:
			return nil, false
		case <-time.After(30 * time.Second): // less than the connection lives
			return got, true
		}
	}
}

// requestText leaves trailers out: the library shows those alone that are announced.
func requestText(method, target, host string, h http.Header, body string) string {
	for _, name := range []string{"Content-Length", "Trailer", "Host"} {
		h.Del(name)
	}
	return fmt.Sprintf("%s %s of %s with %q, %d bytes %.40q", method, target, host, h, len(body), body)
}

// seenByUs is the same of ours.
func seenByUs(b []byte) (seen []string, err error) {
	ours, err := taking(b)
	for _, q := range ours {
		h := http.Header{}
		for _, f := range q.fields {
			h.Add(f.Name, f.Value)
		}
		if q.ended && !q.broken {
			seen = append(seen, requestText(q.method, q.path, q.host, h, string(q.body)))
		}
	}
	return slices.Sorted(slices.Values(seen)), err
}

// TestLibraryServerReadsWhatWeTake: every request that we take whole, net/http's server
// gives to its handler, with the same method, target, host, fields and body. It may end a
// connection where we end a stream, and shows no trailers that are not announced.
func TestLibraryServerReadsWhatWeTake(t *testing.T) {
	all := conversations()
	names := slices.Sorted(func(yield func(string) bool) {
		for name := range all {
			if !yield(name) {
				return
			}
		}
	})
	const seed = 9
	rnd := rand.New(rand.NewPCG(seed, 0))
	var list [][]byte
	for _, name := range names {
		list = append(list, all[name])
	}
	compared := 0
	for i := range 80 {
		b := list[i%len(list)]
		if i >= len(list) {
			b = mutated(rnd, slices.Clone(b), list)
		}
		want, err := seenByUs(b)
		if err != nil {
			continue // what came before the error may or may not be answered by either
		}
		got, ok := seenByLibrary(t, b, want)
		if !ok {
			continue
		}
		for _, q := range want {
			compared++
			if !slices.Contains(got, q) {
				t.Errorf("seed %d, round %d: we read %s; the library %s, of %q", seed, i, q, strings.Join(got, "; "), b[:min(len(b), 300)])
			}
		}
	}
	if compared < 40 {
		t.Errorf("only %d requests were compared", compared)
	}
}
