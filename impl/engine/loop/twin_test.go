package loop

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/unilb/unilb/impl/engine/enginetest"
	"github.com/unilb/unilb/impl/engine/std"
	"github.com/unilb/unilb/impl/exchange"
)

// mirror answers with everything that it has seen of a request, as text, over HTTP/1.1 or
// HTTP/2.
func mirror(t *testing.T, two bool) string {
	t.Helper()
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var b bytes.Buffer
		fmt.Fprintf(&b, "%s %s host=%s length=%d coding=%v\n", r.Method, r.RequestURI, r.Host, r.ContentLength, r.TransferEncoding)
		for name, values := range r.Header {
			for _, v := range values {
				fmt.Fprintf(&b, "%s: %s\n", name, v)
			}
		}
		body, err := io.ReadAll(r.Body)
		fmt.Fprintf(&b, "body=%q error=%v\n", body, err)
		for name, values := range r.Trailer {
			fmt.Fprintf(&b, "trailer %s: %s\n", name, values)
		}
		lines := strings.SplitAfter(b.String(), "\n")
		slices.Sort(lines)
		w.Header().Set("Content-Type", "text/plain")
		w.Header()["Date"] = nil
		switch r.Header.Get("X-Want") {
		case "none":
			w.WriteHeader(http.StatusNoContent)
		case "chunks":
			for _, l := range lines {
				_, _ = io.WriteString(w, l)
				_ = http.NewResponseController(w).Flush()
			}
		case "trailer":
			w.Header().Set("Trailer", "X-Sum")
			_, _ = io.WriteString(w, strings.Join(lines, ""))
			w.Header().Set("X-Sum", "42")
		case "gone":
			w.Header().Set("Connection", "close")
			w.WriteHeader(http.StatusGone)
			_, _ = io.WriteString(w, strings.Join(lines, ""))
		default:
			_, _ = io.WriteString(w, strings.Join(lines, ""))
		}
	}))
	if two {
		s.Config.Protocols = new(http.Protocols)
		s.Config.Protocols.SetUnencryptedHTTP2(true)
	}
	s.Start()
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

// showing asks for the body of a request with X-Read, up to so many bytes, and tells its
// target what it was shown.
type showing struct{ plain }

func (s *showing) OnRequest(x *exchange.Exchange) exchange.Verdict {
	text, asks := x.Request.Fields.Get("X-Read")
	limit, err := strconv.Atoi(text)
	if !asks || err != nil {
		return s.plain.OnRequest(x)
	}
	b := &x.Request.Body
	if b.State == exchange.BodyUnread {
		return x.Collect(limit, nil)
	}
	v := s.plain.OnRequest(x)
	shown := b.Bytes[:min(len(b.Bytes), limit+1)] // how much more there is depends on how it came
	x.RequestEdits.Set("X-Shown", fmt.Sprintf("%d %q", b.State, shown))
	return v
}

// randomRequest is a request that every reader of HTTP/1.1 takes. It has no TE, which the
// library passes on without naming it in Connection (RFC 9110, 10.1.4).
func randomRequest(r *rand.Rand) string {
	pick := func(of ...string) string { return of[r.IntN(len(of))] }
	method := pick("GET", "GET", "POST", "PUT", "HEAD", "DELETE", "OPTIONS", "PATCH", "PURGE")
	target := pick("/", "/a/b", "/a%20b?c=d&e", "//x//y", "/?", "/%7Euser;p=1", "http://abs.example/p?q", "/a/./b/../c")
	version := pick("1.1", "1.1", "1.1", "1.1", "1.0")
	b := fmt.Sprintf("%s %s HTTP/%s\r\nHost: %s\r\n", method, target, version, pick("h", "Shop.Example:81", "[::1]:80"))
	for range r.IntN(5) {
		f := pick("Accept: */*", "X-Empty:", "X-Twice: 1\r\nX-Twice: 2", "x-lower: v", "Cookie: a=b; c=d", "X-Blank:  \t padded \t", "User-Agent: t/1 (a; b)",
			"Connection: X-Named\r\nX-Named: 1", "Accept-Encoding: gzip", "X-Want: none", "X-Want: chunks", "X-Want: trailer", "X-Want: gone", "Connection: keep-alive",
			"X-Read: 1", "X-Read: 50", "X-Read: 1000") + "\r\n"
		if name, _, _ := strings.Cut(f, ":"); !strings.Contains(b, "\r\n"+name+":") { // of some fields the library passes on the first only
			b += f
		}
	}
	if r.IntN(8) == 0 && !strings.Contains(b, "keep-alive") { // both at once mean what the reader likes
		b += "Connection: close\r\n"
	}
	body := strings.Repeat(pick("x", "yz", "\r\n"), 1+r.IntN(100)) // an empty one in chunks the library sends as none
	switch {
	case method == "GET" || method == "HEAD" || r.IntN(3) == 0:
		return b + "\r\n"
	case version == "1.1" && r.IntN(2) == 0:
		b += "Transfer-Encoding: chunked\r\n\r\n"
		for len(body) > 0 {
			n := min(len(body), 1+r.IntN(100))
			b += fmt.Sprintf("%x%s\r\n%s\r\n", n, pick("", ";a=b", `;a="q"`), body[:n])
			body = body[n:]
		}
		return b + "0\r\n\r\n"
	}
	return b + fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(body), body)
}

// heard is what a client gets for some bytes on one connection, without what may
// differ: the order of fields, the case of their names, Date, and the version in the
// status line, which the library sets to that of the request; and the names of trailers,
// which it announces to HTTP/1.0, too.
func heard(t *testing.T, addr string, requests []string) string {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	go func() { _, _ = io.WriteString(c, strings.Join(requests, "")) }()
	var out strings.Builder
	br := bufio.NewReader(c)
	for _, r := range requests {
		method, _, _ := strings.Cut(r, " ")
		resp, err := http.ReadResponse(br, &http.Request{Method: method})
		if err != nil {
			fmt.Fprintf(&out, "end: %t\n", errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF))
			break
		}
		body, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		var lines []string
		for name, values := range resp.Header {
			if name != "Date" && name != "Trailer" {
				lines = append(lines, fmt.Sprintf("%s: %q", name, values))
			}
		}
		slices.Sort(lines)
		fmt.Fprintf(&out, "%s close=%t length=%d coding=%v\n%s\n%s%v trailer=%v\n", resp.Status, resp.Close, resp.ContentLength, resp.TransferEncoding,
			strings.Join(lines, "\n"), strings.ToLower(string(body)), err, resp.Trailer)
		if resp.Close {
			rest, err := io.ReadAll(br)
			fmt.Fprintf(&out, "then %q %v\n", rest, err)
			break
		}
	}
	return out.String()
}

// TestBothEnginesSayTheSame sends the same bytes through both engines, in the same and
// in other pieces, to the same target: what client and target see must be the same.
func TestBothEnginesSayTheSame(t *testing.T) {
	for name, two := range map[string]bool{"HTTP/1.1": false, "HTTP/2": true} {
		t.Run(name, func(t *testing.T) { bothSayTheSame(t, two) })
	}
}

func bothSayTheSame(t *testing.T, two bool) {
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 1))
	target := mirror(t, two)
	h := &showing{plain{&exchange.Target{Name: target, Pool: exchange.Pool{Address: target, HTTP2: two, IdleConns: 8, IdleTimeout: time.Minute}}}}
	_, ours := startLoops(t, Options{Handler: h})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	reference := enginetest.Serve(t, std.New(std.Options{Handler: h}), ln, false)
	for i := range 300 {
		var requests []string
		for range 1 + r.IntN(4) {
			requests = append(requests, randomRequest(r))
		}
		if a, b := heard(t, reference, requests), heard(t, ours, requests); a != b {
			t.Fatalf("seed %d, round %d: %q\n--- std\n%s\n--- loop\n%s", seed, i, requests, a, b)
		}
	}
}
