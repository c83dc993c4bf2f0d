package enginetest

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/unilb/unilb/impl/exchange"
)

// A Handler forwards everything to targets in turn, a request that failed there to the
// next one; tests set what differs.
type Handler struct {
	plan    exchange.Plan
	targets []string
	gen     atomic.Int64
	cert    atomic.Pointer[tls.Certificate]
	tls     bool
	verify  bool
	http2   bool
	filter  func([]byte, bool) []byte
	suspend func(*exchange.Exchange)

	mu       sync.Mutex
	failures []exchange.Failure
	// Done gets the record of every exchange. After 64 that nobody took the engine waits.
	Done chan exchange.Record
}

// NewHandler is a Handler with limits of 5 s, for targets of host:port without TLS.
func NewHandler(targets ...string) *Handler {
	const s = time.Second
	return &Handler{targets: targets, plan: exchange.Plan{Connect: 5 * s, Send: 5 * s, Read: 5 * s}, Done: make(chan exchange.Record, 64)}
}

// Forward plans the next attempt of an exchange; beyond the last target it answers 502.
func (h *Handler) Forward(x *exchange.Exchange) exchange.Verdict {
	i := int(x.Slots[0])
	x.Slots[0]++
	if i >= len(h.targets) {
		return x.RespondBytes(502, "text/plain", []byte("bad"))
	}
	x.Own() // the plan keeps strings of the request
	p := h.plan
	p.ClientCert = h.cert.Load()
	p.Host, p.Upgrade = x.Request.Authority, x.Request.Upgrade != ""
	p.Target = &exchange.Target{Name: h.targets[i], Pool: exchange.Pool{Address: h.targets[i], Generation: h.gen.Load(), TLS: h.tls, Verify: h.verify, HTTP2: h.http2, IdleConns: 8, IdleTimeout: time.Minute}}
	x.FilterBody = h.filter != nil
	return x.Forward(p)
}

// OnRequest is of exchange.Handler.
func (h *Handler) OnRequest(x *exchange.Exchange) exchange.Verdict {
	if h.suspend != nil && x.Slots[1] == 0 {
		x.Slots[1] = 1
		v := x.Suspend()
		h.suspend(x)
		return v
	}
	return h.Forward(x)
}

// OnFailure is of exchange.Handler.
func (h *Handler) OnFailure(x *exchange.Exchange, f exchange.Failure) exchange.Verdict {
	h.mu.Lock()
	h.failures = append(h.failures, f)
	h.mu.Unlock()
	if f.Kind == exchange.ClientGone {
		return exchange.Abort
	}
	if f.Kind == exchange.ClientTooBig {
		return x.RespondBytes(413, "", []byte("big"))
	}
	if f.Kind.Timeout() && f.Kind != exchange.TimedOutConnect {
		return x.RespondBytes(504, "", []byte("late"))
	}
	if f.Sent && (!f.Replayable || x.Request.Method == http.MethodPost) {
		return x.RespondBytes(502, "", []byte("no replay"))
	}
	return h.Forward(x)
}

// OnResponse is of exchange.Handler.
func (h *Handler) OnResponse(x *exchange.Exchange) exchange.Verdict {
	x.ResponseEdits = x.ResponseEdits[:0]
	x.ResponseEdits.Set("Server", "us")
	return exchange.Continue
}

// OnBody is of exchange.Handler.
func (h *Handler) OnBody(_ *exchange.Exchange, b []byte, last bool) []byte { return h.filter(b, last) }

// OnDone is of exchange.Handler.
func (h *Handler) OnDone(_ *exchange.Exchange, r exchange.Record) { h.Done <- r }

// Failures are those of all attempts so far.
func (h *Handler) Failures() []exchange.Failure {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]exchange.Failure(nil), h.failures...)
}

// Backend serves a function until the test ends, and returns where.
func Backend(t *testing.T, f http.HandlerFunc) string {
	s := httptest.NewServer(f)
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

// refusing is an address where nobody listens.
func refusing(t *testing.T) string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}

// Raw sends bytes and returns everything until the connection closes.
func Raw(t *testing.T, addr, request string) string {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := io.WriteString(c, request); err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(c)
	if err != nil {
		t.Fatalf("read: %v after %q", err, b)
	}
	return string(b)
}

func requestAndAnswerPassUnchanged(t *testing.T, start Starter) {
	up := Backend(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header()["Content-Type"] = nil
		w.Header().Set("X-Multi", "1")
		w.Header().Add("X-Multi", "2")
		w.WriteHeader(http.StatusCreated)
		fmt.Fprintf(w, "%s %s host=%s body=%s ua=%q len=%d", r.Method, r.RequestURI, r.Host, body, r.Header["User-Agent"], r.ContentLength)
	})
	_, addr := start(t, Options{Handler: NewHandler(up)})
	got := Raw(t, addr, "POST /a%2Fb//c?x=%20&y HTTP/1.1\r\nHost: h.example:81\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello")
	for _, want := range []string{"HTTP/1.1 201 Created\r\n", "\r\nX-Multi: 1\r\n", "\r\nX-Multi: 2\r\n", "\r\nServer: us\r\n",
		"POST /a%2Fb//c?x=%20&y host=h.example:81 body=hello ua=[] len=5"} {
		if !strings.Contains(got, want) {
			t.Errorf("answer lacks %q:\n%s", want, got)
		}
	}
	if strings.Contains(got, "Content-Type") {
		t.Errorf("answer has a content type nobody set:\n%s", got)
	}
}

func targetsOfOddFormReachTheUpstreamAsTheyAre(t *testing.T, start Starter) {
	up := Backend(t, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.RequestURI, " ", r.Host) })
	_, addr := start(t, Options{Handler: NewHandler(up)})
	for target, want := range map[string]string{
		"//x//y": "//x//y h", "/?": "/? h", "/a:b@c": "/a:b@c h", "/%7Euser/;p=1": "/%7Euser/;p=1 h", "http://abs.example/p?q": "/p?q abs.example", "http://abs.example": "/ abs.example",
	} {
		got := Raw(t, addr, "GET "+target+" HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
		if !strings.HasSuffix(got, "\r\n\r\n"+want) {
			t.Errorf("%s: %q, want %q", target, got, want)
		}
	}
	for target, want := range map[string]string{"/%zz": "400", "/a/../..": "400", "*": "400"} {
		if got := Raw(t, addr, "GET "+target+" HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"); !strings.HasPrefix(got, "HTTP/1.1 "+want) {
			t.Errorf("%s: %q, want %s", target, got, want)
		}
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }
