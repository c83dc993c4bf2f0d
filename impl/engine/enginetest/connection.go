package enginetest

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/unilb/unilb/impl/exchange"
)

func connectionsAreKeptPerGeneration(t *testing.T, start Starter) {
	var mu sync.Mutex
	peers := map[string]bool{}
	up := Backend(t, func(_ http.ResponseWriter, r *http.Request) {
		mu.Lock()
		peers[r.RemoteAddr] = true
		mu.Unlock()
	})
	h := NewHandler(up)
	_, addr := start(t, Options{Handler: h})
	for i := range 6 {
		if i == 3 {
			<-h.Done
			h.gen.Store(2)
		} else if i > 0 {
			<-h.Done
		}
		resp, err := http.Get("http://" + addr)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
	}
	mu.Lock()
	defer mu.Unlock()
	if len(peers) != 2 {
		t.Errorf("6 requests under 2 generations used %d connections, want 2", len(peers))
	}
}

func tLSTargetIsVerifiedWhenAsked(t *testing.T, start Starter) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.TLS.ServerName) }))
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // the refused handshake
	s.StartTLS()
	defer s.Close()
	for _, verify := range []bool{false, true} {
		h := NewHandler(s.Listener.Addr().String())
		h.tls, h.verify = true, verify
		_, addr := start(t, Options{Handler: h})
		req, _ := http.NewRequest(http.MethodGet, "http://"+addr, nil)
		req.Host = "Shop.Example:8443"
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		b, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if f := h.Failures(); verify && (resp.StatusCode != http.StatusBadGateway || len(f) != 1 || f[0].Kind != exchange.FailedConnect) || !verify && string(b) != "shop.example" {
			t.Errorf("verify %v: %d %q, failures %+v", verify, resp.StatusCode, b, f)
		}
	}
}

func upgradedConnectionCarriesBytesBothWays(t *testing.T, start Starter) {
	up := Backend(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") != "echo" || r.Header.Get("Connection") != "Upgrade" {
			w.WriteHeader(http.StatusBadRequest)
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
	h := NewHandler(up)
	e, addr := start(t, Options{Handler: h})
	c, _ := net.Dial("tcp", addr)
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(5 * time.Second))
	fmt.Fprint(c, "GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nearly")
	br := bufio.NewReader(c)
	resp, err := http.ReadResponse(br, nil)
	if err != nil || resp.StatusCode != http.StatusSwitchingProtocols || resp.Header.Get("Upgrade") != "echo" {
		t.Fatalf("answer %+v %v", resp, err)
	}
	defer resp.Body.Close()
	fmt.Fprint(c, " late")
	got := make([]byte, len("early late"))
	if _, err := io.ReadFull(br, got); err != nil || string(got) != "early late" {
		t.Fatalf("echo %q %v", got, err)
	}
	if n := e.InFlight(); n != 1 { // so a drain waits for it
		t.Errorf("%d requests in flight beside an upgraded connection, want it to count as 1", n)
	}
	c.Close()
	<-h.Done
}

func drainWaitsForSlowRequest(t *testing.T, start Starter) {
	entered, release := make(chan struct{}), make(chan struct{})
	up := Backend(t, func(w http.ResponseWriter, _ *http.Request) {
		close(entered)
		<-release
		fmt.Fprint(w, "whole")
	})
	e, addr := start(t, Options{Handler: NewHandler(up)})
	answer := make(chan string, 1)
	go func() {
		resp, err := http.Get("http://" + addr)
		if err != nil {
			answer <- err.Error()
			return
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		answer <- fmt.Sprintf("%s close=%v %v", b, resp.Close, err)
	}()
	<-entered
	down := make(chan error, 1)
	go func() { down <- e.Shutdown(context.Background()) }()
	select {
	case err := <-down:
		t.Fatalf("shutdown returned %v before the request ended", err)
	case <-time.After(30 * time.Millisecond): // it can only be seen not to happen
	}
	close(release)
	if got := <-answer; got != "whole close=true <nil>" {
		t.Errorf("answer %q", got)
	}
	if err := <-down; err != nil {
		t.Errorf("shutdown: %v", err)
	}
}

func clientThatLeavesEndsTheAttempt(t *testing.T, start Starter) {
	entered := make(chan struct{})
	gone := make(chan struct{})
	up := Backend(t, func(_ http.ResponseWriter, r *http.Request) {
		close(entered)
		<-r.Context().Done()
		close(gone)
	})
	h := NewHandler(up)
	_, addr := start(t, Options{Handler: h})
	c, _ := net.Dial("tcp", addr)
	fmt.Fprint(c, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
	<-entered
	c.Close()
	<-gone
	if r := <-h.Done; !r.Cut {
		t.Errorf("record %+v", r)
	}
	if f := h.Failures(); len(f) != 1 || f[0].Kind != exchange.ClientGone {
		t.Errorf("failures %+v", f)
	}
}

// connectIsRefusedAndTheLast: what follows it would be meant for a tunnel.
func connectIsRefusedAndTheLast(t *testing.T, start Starter) {
	up := Backend(t, func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("the target is asked %s %s", r.Method, r.RequestURI)
	})
	_, addr := start(t, Options{Handler: NewHandler(up)})
	for _, to := range []string{up, "a:1"} {
		got := Raw(t, addr, "CONNECT "+to+" HTTP/1.1\r\nHost: "+to+"\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n")
		if !strings.HasPrefix(got, "HTTP/1.1 405") || strings.Count(got, "HTTP/1.") != 1 {
			t.Errorf("CONNECT %s: %q, want 405 and the end", to, got)
		}
	}
}
