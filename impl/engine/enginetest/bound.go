package enginetest

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func connectionsBeyondTheBoundAreClosed(t *testing.T, start Starter) {
	up := Backend(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "ok") })
	_, addr := start(t, Options{Handler: NewHandler(up), MaxConns: 2})
	ask := func() (net.Conn, string) {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		_ = c.SetDeadline(time.Now().Add(10 * time.Second))
		fmt.Fprint(c, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
		line, _ := bufio.NewReader(c).ReadString('\n')
		return c, strings.TrimSpace(line)
	}
	first, a := ask()
	_, b := ask()
	_, beyond := ask()
	if want := "HTTP/1.1 200 OK"; a != want || b != want || beyond != "" {
		t.Fatalf("answers %q, %q and beyond the bound %q", a, b, beyond)
	}
	first.Close()
	// The server notices by itself: ask until it has.
	for deadline := time.Now().Add(5 * time.Second); ; {
		if _, s := ask(); s != "" {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("the room of a closed connection is not given back")
		}
	}
}

func answersOfTheEngineItselfNameTheServer(t *testing.T, start Starter) {
	_, addr := start(t, Options{Handler: NewHandler(), Server: "us"})
	for head, want := range map[string]string{"OPTIONS *": "400", "GET /a/../..": "400", "CONNECT a:1": "405"} {
		got := Raw(t, addr, head+" HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
		if !strings.HasPrefix(got, "HTTP/1.1 "+want) || !strings.Contains(got, "\r\nServer: us\r\n") {
			t.Errorf("%s: %q, want %s from us", head, got, want)
		}
	}
}

func answersSayCloseWhileTheNodeDrains(t *testing.T, start Starter) {
	up := Backend(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "ok") })
	var draining atomic.Bool
	_, addr := start(t, Options{Handler: NewHandler(up), Draining: draining.Load})
	for _, want := range []bool{false, true, false} {
		draining.Store(want)
		resp, err := http.Get("http://" + addr)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.Close != want {
			t.Errorf("draining %v: close %v", want, resp.Close)
		}
	}
}
