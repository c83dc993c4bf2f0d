package std

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/unilb/unilb/impl/certs"
	"github.com/unilb/unilb/impl/engine/enginetest"
	"github.com/unilb/unilb/impl/exchange"
)

// startTLS serves the handler with a certificate for a.example.
func startTLS(t *testing.T, o Options) (*Engine, string) {
	t.Helper()
	c, err := certs.Compile(certs.Spec{ID: "a", Names: []string{"a.example"}, Pairs: []tls.Certificate{enginetest.SelfSigned(t, "a.example")}})
	if err != nil {
		t.Fatal(err)
	}
	o.TLS = certs.NewServer(certs.Options{}, time.Now())
	o.TLS.Use((&certs.Table{}).With(c))
	return startBy(t, o, (*Engine).ServeTLS)
}

func dialTLS(t *testing.T, addr string) *tls.Conn {
	t.Helper()
	c, err := tls.Dial("tcp", addr, &tls.Config{ServerName: "a.example", InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	_ = c.SetDeadline(time.Now().Add(20 * time.Second)) // sockets take them
	return c
}

// witness keeps what each request was.
type witness struct {
	*handler
	mu   sync.Mutex
	seen []string
}

func (w *witness) OnRequest(x *exchange.Exchange) exchange.Verdict {
	name := "-"
	if x.Request.TLS != nil {
		name = x.Request.TLS.Name()
	}
	w.mu.Lock()
	w.seen = append(w.seen, x.Request.Scheme+" "+name+" "+x.Request.Host)
	w.mu.Unlock()
	return w.handler.OnRequest(x)
}

func TestRequestsKnowTheTLSThatTheyCameOver(t *testing.T) {
	up := backend(t, func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) })
	w := &witness{handler: newHandler(up)}
	_, addr := startTLS(t, Options{Handler: w})
	c := dialTLS(t, addr)
	br := bufio.NewReader(c)
	for _, host := range []string{"a.example", "B.example"} {
		fmt.Fprintf(c, "POST / HTTP/1.1\r\nHost: %s\r\nContent-Length: 5\r\n\r\nhello", host)
		resp, err := http.ReadResponse(br, nil)
		if err != nil {
			t.Fatal(err)
		}
		if b, err := io.ReadAll(resp.Body); err != nil || string(b) != "hello" {
			t.Errorf("%s: %q %v", host, b, err)
		}
	}
	_, plain := start(t, Options{Handler: w})
	if got := raw(t, plain, "GET / HTTP/1.1\r\nHost: c.example\r\nConnection: close\r\n\r\n"); !strings.Contains(got, " 200 ") {
		t.Errorf("without TLS: %q", got)
	}
	if got := fmt.Sprint(w.seen); got != "[https a.example a.example https a.example b.example http - c.example]" {
		t.Errorf("requests %s", got)
	}
	if p := c.ConnectionState().NegotiatedProtocol; p != "" {
		t.Errorf("told of the protocol %q without asking", p)
	}
}

func TestWhatHoldsWithoutTLSHoldsWithIt(t *testing.T) {
	up := backend(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") == "" {
			return
		}
		c, brw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer c.Close()
		fmt.Fprint(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
		_, _ = io.Copy(c, brw)
	})
	h := newHandler(up)
	_, addr := startTLS(t, Options{Handler: h})
	c := dialTLS(t, addr)
	fmt.Fprint(c, both) // two framings
	if b, err := io.ReadAll(c); err != nil || !strings.HasPrefix(string(b), "HTTP/1.1 400") {
		t.Errorf("two framings: %q %v, want 400 and a proper end", b, err)
	}
	c = dialTLS(t, addr)
	fmt.Fprint(c, "GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nearly")
	br := bufio.NewReader(c)
	resp, err := http.ReadResponse(br, nil)
	if err != nil || resp.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("upgrade: %+v %v", resp, err)
	}
	fmt.Fprint(c, " late")
	got := make([]byte, len("early late"))
	if _, err := io.ReadFull(br, got); err != nil || string(got) != "early late" {
		t.Errorf("tunnel: %q %v", got, err)
	}
	c.Close()
	<-h.done
}

func TestHandshakesThatStopEndAndKeepNobodyWaiting(t *testing.T) {
	up := backend(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "ok") })
	_, addr := startTLS(t, Options{Handler: newHandler(up), HeadTimeout: 300 * time.Millisecond})
	var stalled []net.Conn
	for range 20 {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		_, _ = c.Write([]byte{22, 3, 1, 0, 200}) // the head of a hello
		stalled = append(stalled, c)
	}
	c := dialTLS(t, addr)
	fmt.Fprint(c, "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
	if b, err := io.ReadAll(c); err != nil || !strings.Contains(string(b), " 200 ") {
		t.Errorf("while others have stopped: %q %v", b, err)
	}
	for i, c := range stalled {
		_ = c.SetReadDeadline(time.Now().Add(20 * time.Second)) // sockets take them
		if _, err := io.ReadAll(c); err != nil {
			t.Fatalf("handshake %d does not end: %v", i, err)
		}
	}
}

func TestPlainRequestToTLSIsToldWhy(t *testing.T) {
	h := newHandler(backend(t, func(http.ResponseWriter, *http.Request) { t.Error("a plain request reached the backend") }))
	_, addr := startTLS(t, Options{Handler: h})
	if got := raw(t, addr, "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n"); !strings.HasPrefix(got, "HTTP/1.0 400 ") || !strings.Contains(got, "HTTPS port") {
		t.Errorf("plain HTTP: %q", got)
	}
	if got := raw(t, addr, "SSH-2.0-x\r\n"); strings.Contains(got, "HTTP") {
		t.Errorf("something else: %q", got)
	}
}

func TestRoomOfConnectionsWithTLSIsGivenBack(t *testing.T) {
	up := backend(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "ok") })
	e, addr := startTLS(t, Options{Handler: newHandler(up), MaxConns: 8})
	for i := range 20 {
		c := dialTLS(t, addr)
		fmt.Fprint(c, "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
		if b, err := io.ReadAll(c); err != nil || !strings.Contains(string(b), " 200 ") {
			t.Fatalf("connection %d: %q %v, %d of %d in use", i, b, err, len(e.room.slots), cap(e.room.slots))
		}
		c.Close()
	}
}
