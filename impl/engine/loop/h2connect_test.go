package loop

import (
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/sys/unix"

	"github.com/unilb/unilb/impl/engine/enginetest"
	"github.com/unilb/unilb/impl/exchange"
)

// TestConnectFailuresOfHTTP2FailEveryRequestThatWaits, each by itself, and another target
// takes them.
func TestConnectFailuresOfHTTP2FailEveryRequestThatWaits(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	dead := ln.Addr().String()
	ln.Close()
	up := target2(t, func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) }, nil)
	for _, secure := range []bool{false, true} {
		h := newOver2(dead, up)
		h.pool.TLS = secure
		_, addr := startLoops(t, Options{Handler: h})
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				resp, err := http.Post("http://"+addr, "", strings.NewReader("hello"))
				if secure { // nor does the other speak TLS
					if got := whole(t, resp, err); resp.StatusCode != 502 {
						t.Errorf("%d %q", resp.StatusCode, got)
					}
				} else if got := whole(t, resp, err); got != "hello" {
					t.Errorf("%d %q", resp.StatusCode, got)
				}
			})
		}
		wg.Wait()
		f := h.failed()
		for _, f := range f {
			if f.Kind != exchange.FailedConnect || f.Sent || !f.Replayable {
				t.Errorf("TLS %v: %+v", secure, f)
			}
		}
		if want := map[bool]int{false: 20, true: 40}[secure]; len(f) != want {
			t.Errorf("TLS %v: %d failures, want %d", secure, len(f), want)
		}
	}
}

func TestTargetThatAgreesOnAnotherProtocolIsNotSpokenTo(t *testing.T) {
	for _, protocols := range [][]string{nil, {"http/1.1"}} { // without ALPN, and with another
		ln, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{enginetest.SelfSigned(t, "a")}, NextProtos: protocols})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { ln.Close() })
		said := make(chan string, 1)
		go func() {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			defer c.Close()
			b, _ := io.ReadAll(c)
			said <- string(b)
		}()
		h := newOver2(ln.Addr().String())
		h.pool.TLS = true
		_, addr := startLoops(t, Options{Handler: h})
		if status, _ := ask(t, "http://"+addr); status != 502 {
			t.Errorf("%q: got %d", protocols, status)
		}
		if got := <-said; got != "" {
			t.Errorf("%q: the target was told %q", protocols, got)
		}
		f := h.failed()
		if len(f) != 1 || f[0].Kind != exchange.FailedConnect || f[0].Sent || protocols == nil && !strings.Contains(f[0].Err.Error(), "did not agree on h2") {
			t.Errorf("%q: failures %+v", protocols, f)
		}
	}
}

// TestTargetThatClosesEveryConnectionAtOnceFailsARequestOnce: it is not sent from one to the
// next for ever.
func TestTargetThatClosesEveryConnectionAtOnceFailsARequestOnce(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	var conns atomic.Int64
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			conns.Add(1)
			_ = c.Close()
		}
	}()
	h := newOver2(ln.Addr().String())
	_, addr := startLoops(t, Options{Handler: h})
	for range 10 {
		if status, _ := ask(t, "http://"+addr); status != 502 {
			t.Errorf("got %d", status)
		}
	}
	if n := conns.Load(); n > 10*maxStale {
		t.Errorf("10 requests took %d connections", n)
	}
}

// TestSilentConnectionIsNotAskedAgain: a request that hears nothing of a connection in its
// time takes it from those to come.
func TestSilentConnectionIsNotAskedAgain(t *testing.T) {
	up := frames2(t, func(n int, fr *http2.Framer, _ net.Conn) {
		_ = fr.WriteSettings()
		for {
			f, err := fr.ReadFrame()
			if err != nil {
				return
			}
			if f, ok := f.(*http2.HeadersFrame); ok && n > 0 {
				_ = fr.WriteHeaders(http2.HeadersFrameParam{StreamID: f.StreamID, BlockFragment: []byte{0x88}, EndHeaders: true, EndStream: true})
			}
		}
	})
	h := newOver2(up)
	h.plan.Read = 100 * time.Millisecond
	_, addr := startLoops(t, Options{Handler: h})
	// The answer to our SETTINGS may come late, and is something.
	for i := range 3 {
		status, _ := ask(t, "http://"+addr)
		if status == 200 && i > 0 {
			return
		}
	}
	t.Errorf("the third request went to the silent connection, failures %+v", h.failed())
}

// TestConnectionThatDoesNotComeToBeIsGivenUp: the kernel tries for minutes, with longer and
// longer pauses. A target that is back is asked by another.
func TestConnectionThatDoesNotComeToBeIsGivenUp(t *testing.T) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}), unix.Listen(fd, 0)); err != nil {
		t.Fatal(err)
	}
	file := os.NewFile(uintptr(fd), "full")
	ln, err := net.FileListener(file)
	_ = file.Close()
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	up := ln.Addr().String()
	for { // until nobody is let in any more
		c, err := net.DialTimeout("tcp", up, 100*time.Millisecond)
		if err != nil {
			break
		}
		defer c.Close()
	}
	h := newOver2(up)
	h.plan.Connect = 200 * time.Millisecond
	e, addr := startLoops(t, Options{Handler: h})
	if status, _ := ask(t, "http://"+addr); status != 502 {
		t.Errorf("got %d of a target that lets nobody in", status)
	}
	if f := h.failed(); len(f) != 1 || f[0].Kind != exchange.TimedOutConnect || f[0].Sent {
		t.Errorf("failures %+v", f)
	}
	s := &http.Server{Protocols: new(http.Protocols), ErrorLog: log.New(io.Discard, "", 0), Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})}
	s.Protocols.SetUnencryptedHTTP2(true)
	go s.Serve(ln)
	defer s.Close()
	for { // it is back
		c, err := net.DialTimeout("tcp", up, 100*time.Millisecond)
		if err == nil {
			_ = c.Close()
			break
		}
	}
	if err := e.loops[0].ask(func() error { // it may take its time now
		h.plan.Connect = 20 * time.Second
		h.failures = nil
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if status, _ := ask(t, "http://"+addr); status != 200 {
		t.Errorf("got %d of a target that is back, failures %+v", status, h.failed())
	}
}
