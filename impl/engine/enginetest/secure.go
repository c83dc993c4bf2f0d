package enginetest

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/unilb/unilb/impl/certs"
	"github.com/unilb/unilb/impl/exchange"
)

// secured is a server of one certificate, for a.example, that offers the protocols; none:
// http/1.1.
func secured(t *testing.T, protocols ...string) *certs.Server {
	t.Helper()
	c, err := certs.Compile(certs.Spec{ID: "a", Names: []string{"a.example"}, Pairs: []tls.Certificate{SelfSigned(t, "a.example")}})
	if err != nil {
		t.Fatal(err)
	}
	s := certs.NewServer(certs.Options{Secret: make([]byte, 32), Protocols: protocols}, time.Now())
	s.Use((&certs.Table{}).With(c))
	return s
}

var trusting = &tls.Config{ServerName: "a.example", InsecureSkipVerify: true}

// overTLS starts engines that serve TLS, behind a listener without: so every test that
// knows nothing of TLS runs over it, too.
func overTLS(start Starter) Starter {
	return func(t *testing.T, o Options) (Engine, string) {
		t.Helper()
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		var all sync.WaitGroup
		t.Cleanup(all.Wait) // after the engine has ended
		o.TLS = secured(t)
		e, addr := start(t, o)
		t.Cleanup(func() { _ = ln.Close() }) // nothing else closes it
		all.Go(func() {
			for {
				c, err := ln.Accept()
				if err != nil {
					return
				}
				all.Go(func() { encrypted(c.(*net.TCPConn), addr) })
			}
		})
		return e, ln.Addr().String()
	}
}

// encrypted carries a connection on over TLS. Its ends, good and bad, pass, too.
func encrypted(c *net.TCPConn, to string) {
	defer func() { _ = c.Close() }() // its peer finds out
	s, err := tls.Dial("tcp", to, trusting)
	if err != nil {
		return
	}
	defer func() { _ = s.Close() }() // the same
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		if _, err := io.Copy(s, c); err == nil {
			_ = s.CloseWrite()                          // the other direction finds out
			_ = s.NetConn().(*net.TCPConn).CloseWrite() // the same
			return
		}
		_ = s.NetConn().Close()
	}()
	if _, err := io.Copy(c, s); err != nil { // its peer is told so at once
		_ = c.SetLinger(0) // a connection that is dead has no use for it
		_ = c.Close()      // the other direction finds out, too
		<-gone
		return
	}
	_ = c.CloseWrite()                                                         // its reader finds out
	if err := c.SetReadDeadline(time.Now().Add(5 * time.Second)); err == nil { // and ends its side
		<-gone
	}
}

func dialTLS(t *testing.T, addr string) *tls.Conn {
	t.Helper()
	c, err := tls.Dial("tcp", addr, trusting)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })                 // a test is over
	_ = c.SetDeadline(time.Now().Add(20 * time.Second)) // sockets take them
	return c
}

// witness keeps what each request was.
type witness struct {
	*Handler
	mu   sync.Mutex
	seen []string
}

func (w *witness) OnRequest(x *exchange.Exchange) exchange.Verdict {
	name := "-"
	if x.Request.TLS != nil {
		name = x.Request.TLS.Name()
	}
	w.mu.Lock()
	w.seen = append(w.seen, x.Request.Scheme+" "+name+" "+strings.Clone(x.Request.Host))
	w.mu.Unlock()
	return w.Handler.OnRequest(x)
}

func requestsKnowTheTLSThatTheyCameOver(t *testing.T, start Starter) {
	up := Backend(t, func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) })
	w := &witness{Handler: NewHandler(up)}
	_, addr := start(t, Options{Handler: w, TLS: secured(t)})
	c := dialTLS(t, addr)
	br := bufio.NewReader(c)
	for _, host := range []string{"a.example", "B.example"} {
		fmt.Fprintf(c, "POST / HTTP/1.1\r\nHost: %s\r\nContent-Length: 5\r\n\r\nhello", host)
		resp, err := http.ReadResponse(br, nil)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(resp.Body)
		if _ = resp.Body.Close(); err != nil || string(b) != "hello" {
			t.Errorf("%s: %q %v", host, b, err)
		}
	}
	_, plain := start(t, Options{Handler: w})
	if got := Raw(t, plain, "GET / HTTP/1.1\r\nHost: c.example\r\nConnection: close\r\n\r\n"); !strings.Contains(got, " 200 ") {
		t.Errorf("without TLS: %q", got)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if got := fmt.Sprint(w.seen); got != "[https a.example a.example https a.example b.example http - c.example]" {
		t.Errorf("requests %s", got)
	}
	if p := c.ConnectionState().NegotiatedProtocol; p != "" {
		t.Errorf("told of the protocol %q without asking", p)
	}
}

func sessionsAreResumed(t *testing.T, start Starter) {
	up := Backend(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "ok") })
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		_, addr := start(t, Options{Handler: NewHandler(up), TLS: secured(t)})
		conf := trusting.Clone()
		conf.ClientSessionCache, conf.MinVersion, conf.MaxVersion = tls.NewLRUClientSessionCache(1), version, version
		for i := range 3 {
			c, err := tls.Dial("tcp", addr, conf)
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprint(c, "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
			if b, err := io.ReadAll(c); err != nil || !strings.HasSuffix(string(b), "ok") {
				t.Errorf("%s, connection %d: %q %v", tls.VersionName(version), i, b, err)
			}
			if got := c.ConnectionState().DidResume; got != (i > 0) {
				t.Errorf("%s, connection %d: resumed %t", tls.VersionName(version), i, got)
			}
			_ = c.Close() // all has been read
		}
	}
}

// halves hands on what is written in pieces of one byte.
type halves struct{ net.Conn }

func (h halves) Write(b []byte) (int, error) {
	for i := range b {
		if _, err := h.Conn.Write(b[i : i+1]); err != nil {
			return i, err
		}
	}
	return len(b), nil
}

func recordsInPiecesAreRecords(t *testing.T, start Starter) {
	up := Backend(t, func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) })
	_, addr := start(t, Options{Handler: NewHandler(up), TLS: secured(t)})
	inner, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	c := tls.Client(halves{inner}, trusting)
	defer func() { _ = c.Close() }()                    // a test is over
	_ = c.SetDeadline(time.Now().Add(20 * time.Second)) // sockets take them
	br := bufio.NewReader(c)
	for i := range 3 {
		fmt.Fprintf(c, "POST /%d HTTP/1.1\r\nHost: h\r\nContent-Length: 300\r\n\r\n%0300d", i, i)
		resp, err := http.ReadResponse(br, nil)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(resp.Body)
		if _ = resp.Body.Close(); err != nil || string(b) != fmt.Sprintf("%0300d", i) {
			t.Errorf("request %d: %q %v", i, b, err)
		}
	}
}

func handshakesThatStopEndAndKeepNobodyWaiting(t *testing.T, start Starter) {
	up := Backend(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "ok") })
	_, addr := start(t, Options{Handler: NewHandler(up), TLS: secured(t), HeadTimeout: 300 * time.Millisecond})
	var stalled []net.Conn
	for i := range 400 {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if i%20 > 0 { // the head of a hello
			_, _ = c.Write([]byte{22, 3, 1, 0, 200}) // its end shows below
		}
		stalled = append(stalled, c)
	}
	c := dialTLS(t, addr)
	fmt.Fprint(c, "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
	if b, err := io.ReadAll(c); err != nil || !strings.Contains(string(b), " 200 ") {
		t.Errorf("while others have stopped: %q %v", b, err)
	}
	for i, c := range stalled {
		_ = c.SetReadDeadline(time.Now().Add(20 * time.Second)) // sockets take them
		if _, err := io.ReadAll(c); errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("handshake %d does not end: %v", i, err)
		}
	}
}

func plainRequestToTLSIsToldWhy(t *testing.T, start Starter) {
	h := NewHandler(Backend(t, func(http.ResponseWriter, *http.Request) { t.Error("a plain request reached the backend") }))
	_, addr := start(t, Options{Handler: h, TLS: secured(t), Server: "us"})
	got := Raw(t, addr, "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n")
	answer, err := http.ReadResponse(bufio.NewReader(strings.NewReader(got)), nil)
	if err != nil {
		t.Fatalf("plain HTTP: %q: %v", got, err)
	}
	defer func() { _ = answer.Body.Close() }()
	page, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusBadRequest || !answer.Close || answer.Header.Get("Server") != "us" || answer.Header.Get("Content-Type") != "text/html" || !strings.Contains(string(page), "HTTPS port") {
		t.Errorf("plain HTTP: %q, %v", got, err)
	}
	if got := Raw(t, addr, "SSH-2.0-x\r\n"); strings.Contains(got, "HTTP") {
		t.Errorf("something else: %q", got)
	}
}

func strangersGetNoHandshake(t *testing.T, start Starter) {
	_, addr := start(t, Options{Handler: NewHandler(), TLS: secured(t)})
	_, err := tls.Dial("tcp", addr, &tls.Config{ServerName: "other.example", InsecureSkipVerify: true})
	if err == nil || !strings.Contains(err.Error(), "unrecognized name") {
		t.Errorf("a handshake for a name that nobody has: %v", err)
	}
}

func roomOfConnectionsWithTLSIsGivenBack(t *testing.T, start Starter) {
	up := Backend(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "ok") })
	_, addr := start(t, Options{Handler: NewHandler(up), TLS: secured(t), MaxConns: 8})
	for i := range 20 {
		c := dialTLS(t, addr)
		fmt.Fprint(c, "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
		if b, err := io.ReadAll(c); err != nil || !strings.Contains(string(b), " 200 ") {
			t.Fatalf("connection %d: %q %v", i, b, err)
		}
		_ = c.Close() // all has been read
	}
}

// The answer has no length and ends with its connection, which somebody cuts: that
// end is not the target's word.
func answerThatIsCutBelowTLSReachesTheClientCut(t *testing.T, start Starter) {
	ln, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{SelfSigned(t, "a.example")}})
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				if _, err := http.ReadRequest(bufio.NewReader(c)); err != nil {
					return
				}
				fmt.Fprint(c, "HTTP/1.1 200 OK\r\n\r\nhalf")
				_ = c.(*tls.Conn).NetConn().Close() // without a word
			}()
		}
	}()
	h := NewHandler(ln.Addr().String())
	h.tls = true
	_, addr := start(t, Options{Handler: h})
	resp, err := http.Get("http://" + addr)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if b, err := io.ReadAll(resp.Body); err == nil {
		t.Errorf("got %q as a whole answer", b)
	}
}
