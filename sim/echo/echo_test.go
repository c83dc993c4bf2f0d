package echo

import (
	"bufio"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/unilb/unilb/sim/history"
)

func start(t *testing.T, o Options) (*Server, *history.Recorder, string) {
	t.Helper()
	rec := history.NewRecorder(history.NewClock())
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	o.Sink = rec
	if o.Ref == "" {
		o.Ref = "vpc/shop/web-1"
	}
	s := New(o)
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if err := <-served; !errors.Is(err, ErrClosed) {
			t.Errorf("Serve: got %v, want ErrClosed", err)
		}
	})
	return s, rec, l.Addr().String()
}

func send(t *testing.T, addr, wire string) (net.Conn, *bufio.Reader) {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := io.WriteString(c, wire); err != nil {
		t.Fatal(err)
	}
	return c, bufio.NewReader(c)
}

func reply(t *testing.T, br *bufio.Reader, method string) (*http.Response, []byte) {
	t.Helper()
	r, err := http.ReadResponse(br, &http.Request{Method: method})
	if err != nil {
		t.Fatalf("read response: %v", err)
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatalf("read body: %v", err)
	}
	return r, b
}

func TestAnswerTellsTheRequestAsItArrived(t *testing.T) {
	_, rec, addr := start(t, Options{VNI: 1001})
	_, br := send(t, addr, "POST /a%20b//../c?x=1&x=2 HTTP/1.1\r\nhOsT: Shop.Example\r\nX-Twice: 1\r\nX-Op-Id: op-7\r\nx-twice: 2\r\nContent-Length: 5\r\n\r\nhello")
	r, body := reply(t, br, "POST")
	if r.StatusCode != 200 || r.Header.Get(HeaderBackend) != "vpc/shop/web-1" || r.Header.Get(HeaderVNI) != "1001" || r.Header.Get(HeaderOp) != "op-7" {
		t.Errorf("got %d %v", r.StatusCode, r.Header)
	}
	var a Answer
	if err := json.Unmarshal(body, &a); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	if a.Seen.Target != "/a%20b//../c?x=1&x=2" || a.Seen.Method != "POST" || a.Seen.Host != "Shop.Example" || a.Op != "op-7" {
		t.Errorf("seen: %+v", a)
	}
	if got, want := fmt.Sprint(a.Seen.Header), "[{hOsT Shop.Example} {X-Twice 1} {X-Op-Id op-7} {x-twice 2} {Content-Length 5}]"; got != want {
		t.Errorf("header lines: got %s, want %s", got, want)
	}
	if got := fmt.Sprint(a.Values("X-TWICE")); got != "[1 2]" {
		t.Errorf("values: got %s", got)
	}
	h := rec.Snapshot()
	if len(h.Arrivals) != 1 || h.Arrivals[0].ID != "op-7" || h.Arrivals[0].VNI != 1001 || h.Arrivals[0].Seen.BodyLen != 5 || h.Arrivals[0].Cut {
		t.Errorf("arrivals: %+v", h.Arrivals)
	}
	if want := "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"; h.Arrivals[0].Seen.BodySum != want {
		t.Errorf("sum: got %s", h.Arrivals[0].Seen.BodySum)
	}
}

func TestRequestsShareAConnection(t *testing.T) {
	_, rec, addr := start(t, Options{})
	const chunked = "PUT /2 HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nTrailer: x\r\n\r\n"
	_, br := send(t, addr, "GET /1 HTTP/1.1\r\nHost: h\r\n\r\n"+chunked+"HEAD /3 HTTP/1.1\r\nHost: h\r\n\r\nGET /4 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
	for i, m := range []string{"GET", "PUT", "HEAD", "GET"} {
		if r, _ := reply(t, br, m); r.StatusCode != 200 {
			t.Fatalf("request %d: got %d", i+1, r.StatusCode)
		}
	}
	if _, err := br.ReadByte(); !errors.Is(err, io.EOF) {
		t.Errorf("after Connection: close: got %v, want EOF", err)
	}
	as := rec.Snapshot().Arrivals
	if len(as) != 4 || as[1].Seen.BodyLen != 5 || as[3].Seen.Target != "/4" {
		t.Errorf("arrivals: %+v", as)
	}
}

func TestBehaviourIsAskedForInHeaders(t *testing.T) {
	for name, c := range map[string]struct {
		header string
		check  func(*http.Response, []byte) bool
	}{
		"status":     {"X-Echo-Status: 503", func(r *http.Response, _ []byte) bool { return r.StatusCode == 503 }},
		"no content": {"X-Echo-Status: 204", func(r *http.Response, b []byte) bool { return r.StatusCode == 204 && len(b) == 0 }},
		"size":       {"X-Echo-Size: 70000", func(_ *http.Response, b []byte) bool { return len(b) == 70000 }},
		"chunked":    {"X-Echo-Chunked: 1", func(r *http.Response, b []byte) bool { return r.ContentLength == -1 && b[0] == '{' }},
		"tiny chunk": {"X-Echo-Chunked: 1\r\nX-Echo-Size: 1", func(_ *http.Response, b []byte) bool { return len(b) == 1 }},
		"header line": {"X-Echo-Header: Via: 1.1 x\r\nX-Echo-Header: A: b", func(r *http.Response, _ []byte) bool {
			return r.Header.Get("Via") == "1.1 x" && r.Header.Get("A") == "b"
		}},
		"nonsense": {"X-Echo-Status: 99", func(r *http.Response, _ []byte) bool { return r.StatusCode == 400 }},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, addr := start(t, Options{})
			_, br := send(t, addr, "GET / HTTP/1.1\r\nHost: h\r\n"+c.header+"\r\n\r\n")
			if r, b := reply(t, br, "GET"); !c.check(r, b) {
				t.Errorf("got %d %v %.80s", r.StatusCode, r.Header, b)
			}
		})
	}
}

func TestResetsAreResetsAndArrivalsAreKept(t *testing.T) {
	for _, where := range []string{"head", "body"} {
		_, rec, addr := start(t, Options{})
		c, _ := send(t, addr, "GET / HTTP/1.1\r\nHost: h\r\nX-Op-Id: 1\r\nX-Echo-Size: 100\r\nX-Echo-Reset: "+where+"\r\n\r\n")
		b, err := io.ReadAll(c)
		if err == nil || !strings.Contains(err.Error(), "connection reset") {
			t.Errorf("%s: got %v after %d bytes, want a reset", where, err, len(b))
		}
		if n := len(rec.Snapshot().Arrivals); n != 1 {
			t.Errorf("%s: got %d arrivals, want 1", where, n)
		}
	}
}

func TestServerBehaviourHoldsForRequestsThatSayNothing(t *testing.T) {
	s, _, addr := start(t, Options{})
	s.SetBehaviour(Behaviour{Status: 502})
	_, br := send(t, addr, "GET / HTTP/1.1\r\nHost: h\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\nX-Echo-Status: 201\r\n\r\n")
	if r, _ := reply(t, br, "GET"); r.StatusCode != 502 {
		t.Errorf("got %d, want 502", r.StatusCode)
	}
	if r, _ := reply(t, br, "GET"); r.StatusCode != 201 {
		t.Errorf("got %d, want 201", r.StatusCode)
	}
}

func TestHealthSwitches(t *testing.T) {
	s, rec, addr := start(t, Options{})
	probe := "GET /health HTTP/1.1\r\nHost: h\r\n\r\n"
	for _, c := range []struct {
		h    Health
		want int
	}{{Healthy, 200}, {Sick, 503}, {Healthy, 200}} {
		s.SetHealth(c.h)
		_, br := send(t, addr, probe)
		if r, _ := reply(t, br, "GET"); r.StatusCode != c.want {
			t.Errorf("health %d: got %d, want %d", c.h, r.StatusCode, c.want)
		}
	}
	s.SetHealth(Hanging)
	c, _ := send(t, addr, probe)
	_ = c.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
	if n, err := c.Read(make([]byte, 1)); n != 0 || !isTimeout(err) {
		t.Errorf("hanging: got %d bytes, %v, want a timeout", n, err)
	}
	if s.Probes() != 4 || s.Requests() != 0 || len(rec.Snapshot().Arrivals) != 0 {
		t.Errorf("got %d probes, %d requests, %d arrivals, want 4, 0, 0", s.Probes(), s.Requests(), len(rec.Snapshot().Arrivals))
	}
}

func TestArrivalTellsTheAnswerAsItWasWritten(t *testing.T) {
	for name, c := range map[string]struct {
		method, header string
		status         int
		body           bool
	}{
		"JSON": {"GET", "X-A: b", 200, true}, "sized": {"POST", "X-Echo-Size: 70000", 200, true}, "chunked": {"GET", "X-Echo-Size: 70000\r\nX-Echo-Chunked: 1", 200, true},
		"status": {"GET", "X-Echo-Status: 503", 503, true}, "HEAD": {"HEAD", "X-Echo-Size: 70000", 200, false}, "no content": {"GET", "X-Echo-Status: 204", 204, false},
	} {
		t.Run(name, func(t *testing.T) {
			_, rec, addr := start(t, Options{})
			_, br := send(t, addr, c.method+" / HTTP/1.1\r\nHost: h\r\n"+c.header+"\r\n\r\n")
			_, b := reply(t, br, c.method)
			want := history.Answer{Status: c.status, BodyLen: int64(len(b))}
			if c.body {
				want.BodySum = history.Sum(sha256.Sum256(b))
			}
			if a := rec.Snapshot().Arrivals; len(a) != 1 || a[0].Answer == nil || *a[0].Answer != want || c.body != (len(b) > 0) {
				t.Errorf("got %+v, want %+v", a[0].Answer, want)
			}
		})
	}
}

func TestPatternHasNoTwoEqualParts(t *testing.T) {
	const part = 512
	seen := map[string]bool{}
	for p := range slices.Chunk(Pattern(1<<20), part) {
		if seen[string(p)] {
			t.Fatalf("%q comes twice", p)
		}
		seen[string(p)] = true
	}
}

func isTimeout(err error) bool {
	var ne net.Error
	return errors.As(err, &ne) && ne.Timeout()
}

func TestAmbiguousFramingIsRefusedAndRecorded(t *testing.T) {
	for _, head := range []string{
		"Transfer-Encoding: chunked\r\nContent-Length: 3", "Content-Length: 3\r\nContent-Length: 4", "Transfer-Encoding: gzip", "Content-Length: -1",
	} {
		_, rec, addr := start(t, Options{})
		_, br := send(t, addr, "POST / HTTP/1.1\r\nHost: h\r\nX-Op-Id: 1\r\n"+head+"\r\n\r\nabc")
		if r, _ := reply(t, br, "POST"); r.StatusCode != 400 {
			t.Errorf("%q: got %d, want 400", head, r.StatusCode)
		}
		if as := rec.Snapshot().Arrivals; len(as) != 1 || !as[0].Cut {
			t.Errorf("%q: arrivals %+v", head, as)
		}
	}
}

func TestCutBodyIsRecorded(t *testing.T) {
	_, rec, addr := start(t, Options{})
	c, br := send(t, addr, "POST / HTTP/1.1\r\nHost: h\r\nX-Op-Id: 1\r\nContent-Length: 10\r\n\r\nabc")
	_ = c.(*net.TCPConn).CloseWrite()
	if _, err := br.ReadByte(); !errors.Is(err, io.EOF) {
		t.Errorf("got %v, want the end of the connection", err)
	}
	if as := rec.Snapshot().Arrivals; len(as) != 1 || !as[0].Cut || as[0].Seen.BodyLen != 3 {
		t.Errorf("arrivals %+v, want one cut after 3 bytes", as)
	}
}

func TestCloseEndsSlowAnswers(t *testing.T) {
	s, rec, addr := start(t, Options{})
	_, br := send(t, addr, "GET / HTTP/1.1\r\nHost: h\r\nX-Op-Id: 1\r\nX-Echo-Delay: 5m\r\n\r\n")
	await(t, "the request", func() bool { return len(rec.Snapshot().Arrivals) > 0 })
	_ = s.Close()
	if _, err := br.ReadByte(); err == nil {
		t.Error("got an answer, want the end of the connection")
	}
}

func await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !ok(); runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("no sign of %s", what)
		}
	}
}
