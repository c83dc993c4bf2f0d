package loop

import (
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/unilb/unilb/impl/engine/enginetest"
	"github.com/unilb/unilb/impl/engine/std"
	"github.com/unilb/unilb/impl/exchange"
)

// request2 is a request of HTTP/2.
type request2 struct {
	fields   []string
	body     []string // in pieces
	trailers []string
	bad      bool // no reader takes it
}

func (q request2) String() string {
	return fmt.Sprintf("%q, body %q, trailers %q", q.fields, q.body, q.trailers)
}

// randomRequest2 is a request that every reader of HTTP/2 takes, or none. Trailers are
// announced, because the library passes no others.
func randomRequest2(r *rand.Rand) request2 {
	pick := func(of ...string) string { return of[r.IntN(len(of))] }
	method := pick("GET", "GET", "POST", "PUT", "HEAD", "DELETE", "OPTIONS", "PATCH", "PURGE")
	host := pick("h", "Shop.Example:81", "[::1]:80")
	q := request2{fields: []string{":method", method, ":scheme", pick("http", "https")}}
	named := r.IntN(3)
	if named != 0 {
		q.fields = append(q.fields, ":authority", host)
	}
	q.fields = append(q.fields, ":path", pick("/", "/a/b", "/a%20b?c=d&e", "//x//y", "/?", "/%7Euser;p=1", "/a/./b/../c"))
	if named != 1 {
		q.fields = append(q.fields, "host", host)
	}
	for range r.IntN(5) {
		more := [][]string{{"accept", "*/*"}, {"x-empty", ""}, {"x-twice", "1", "x-twice", "2"}, {"cookie", "a=b", "cookie", "c=d; e"}, {"cookie", "a=b"},
			{"user-agent", "t/1 (a; b)"}, {"accept-encoding", "gzip"}, {"x-want", "none"}, {"x-want", "chunks"}, {"x-want", "trailer"}, {"x-want", "gone"},
			{"x-read", "1"}, {"x-read", "50"}, {"x-read", "1000"}}
		if f := more[r.IntN(len(more))]; !slices.Contains(q.fields, f[0]) {
			q.fields = append(q.fields, f...)
		}
	}
	if method != "GET" && method != "HEAD" && r.IntN(3) > 0 {
		for range 1 + r.IntN(3) {
			q.body = append(q.body, strings.Repeat(pick("x", "yz", "\r\n"), 1+r.IntN(100)))
		}
		switch r.IntN(3) {
		case 0:
			q.fields = append(q.fields, "content-length", strconv.Itoa(len(strings.Join(q.body, ""))))
		case 1:
			q.fields, q.trailers = append(q.fields, "trailer", "X-End"), []string{"x-end", "1"}
		}
	}
	if r.IntN(8) == 0 {
		q.spoil(r)
	}
	return q
}

// spoil makes a request malformed.
func (q *request2) spoil(r *rand.Rand) {
	q.bad, q.trailers = true, nil // for the library trailers behind an early answer end the connection
	wrong := [][]string{{"connection", "x-a"}, {"keep-alive", "timeout=5"}, {"transfer-encoding", "chunked"}, {"upgrade", "h2c"}, {"te", "gzip"}, {"X-Upper", "1"},
		{"x a", "1"}, {"x-a", "1\r\nx-b: 2"}, {"x-a", " 1"}, {"x-a", "1 "}, {"host", "other"}, {"content-length", "x"}, {"content-length", "1", "content-length", "1"}, {"content-length", "100000"}}
	f := wrong[r.IntN(len(wrong))]
	if at := slices.Index(q.fields, f[0]); at >= 0 && at%2 == 0 && f[0] == "content-length" {
		q.fields[at+1] += "0" // the body is shorter
		return
	}
	if q.fields = append(q.fields, f...); f[0] != "content-length" {
		q.body = nil // for the library a body behind what is no head ends the connection
	}
}

func (q *request2) send(f *http2.Framer, stream uint32) error {
	end := len(q.body) == 0 && q.trailers == nil
	if err := f.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: enginetest.Block(q.fields...), EndStream: end, EndHeaders: true}); err != nil {
		return err
	}
	for i, b := range q.body {
		if err := f.WriteData(stream, i == len(q.body)-1 && q.trailers == nil, []byte(b)); err != nil {
			return err
		}
	}
	if q.trailers == nil {
		return nil
	}
	return f.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: enginetest.Block(q.trailers...), EndStream: true, EndHeaders: true})
}

// heard2 is what a client gets for requests at once on one connection, without what may
// differ: the order of fields, Date, the names of trailers, and how a request is refused.
func heard2(t *testing.T, addr string, requests []request2) []string {
	t.Helper()
	f := enginetest.DialHTTP2(t, "http://"+addr)
	f.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	for i := range requests {
		if err := requests[i].send(f, uint32(2*i+1)); err != nil {
			t.Fatal(err)
		}
	}
	heads, bodies, out := make([]string, len(requests)), make([]string, len(requests)), make([]string, len(requests))
	for left := len(requests); left > 0; {
		frame, err := f.ReadFrame()
		if err != nil {
			t.Fatalf("%d of %d have no answer: %v, %v", left, len(requests), err, requests)
		}
		at := int(frame.Header().StreamID) / 2
		if frame.Header().StreamID == 0 || out[at] != "" {
			continue // of the connection, or behind the end of an answer
		}
		ended := false
		switch frame := frame.(type) {
		case *http2.MetaHeadersFrame:
			heads[at] += fieldsOf(frame) + "\n"
			ended = frame.StreamEnded()
		case *http2.DataFrame:
			bodies[at] += strings.ToLower(string(frame.Data()))
			ended = frame.StreamEnded()
		case *http2.RSTStreamFrame:
			heads[at], ended = refusedHere, true
		}
		if ended {
			out[at] = heads[at] + bodies[at]
			if strings.Contains(heads[at], refusedHere) {
				out[at] = refusedHere
			}
			left--
		}
	}
	return out
}

// refusedHere is an answer by which nothing else is said; a reset means the same.
const refusedHere = ":status: 400"

func fieldsOf(f *http2.MetaHeadersFrame) string {
	var lines []string
	for _, h := range f.Fields {
		if h.Name != "date" && h.Name != "trailer" {
			lines = append(lines, fmt.Sprintf("%s: %s", h.Name, h.Value))
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// TestBothEnginesSayTheSameOverHTTP2 is TestBothEnginesSayTheSame for clients of HTTP/2.
func TestBothEnginesSayTheSameOverHTTP2(t *testing.T) {
	for name, two := range map[string]bool{"HTTP/1.1": false, "HTTP/2": true} {
		t.Run(name, func(t *testing.T) { bothSayTheSameOver2(t, two) })
	}
}

func bothSayTheSameOver2(t *testing.T, two bool) {
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 2))
	target := mirror(t, two)
	h := &showing{plain{&exchange.Target{Name: target, Pool: exchange.Pool{Address: target, HTTP2: two, IdleConns: 8, IdleTimeout: time.Minute}}}}
	_, ours := startLoops(t, Options{Handler: h, HTTP2: true})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	reference := enginetest.Serve(t, std.New(std.Options{Handler: h, HTTP2: true}), ln, false)
	for i := range 300 {
		var requests []request2
		for range 1 + r.IntN(4) {
			requests = append(requests, randomRequest2(r))
		}
		a, b := heard2(t, reference, requests), heard2(t, ours, requests)
		for k, q := range requests {
			if a[k] != b[k] || (a[k] == refusedHere) != q.bad {
				t.Fatalf("seed %d, round %d: %v\n--- std\n%s\n--- loop\n%s", seed, i, q, a[k], b[k])
			}
		}
	}
}
