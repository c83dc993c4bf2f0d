package enginetest

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
)

// Post sends a body with header fields (name, value, ...) and returns the status.
func Post(t *testing.T, addr, body string, header ...string) int {
	t.Helper()
	req, err := http.NewRequest(http.MethodPost, "http://"+addr, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode
}

// Use makes a kept connection to the first target of a handler.
func Use(t *testing.T, addr string, h *Handler) {
	t.Helper()
	if status := Post(t, addr, "first"); status != http.StatusOK || len(h.Failures()) > 0 {
		t.Fatalf("first request: %d, failures %+v", status, h.Failures())
	}
	<-h.Done
}

// resetter answers the first request on a connection, reads the second whole
// and resets. It listens no more after its first connection.
func resetter(t *testing.T) string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	go func() {
		c, err := ln.Accept()
		if err != nil {
			return
		}
		ln.Close()
		br := bufio.NewReader(c)
		for i := range 2 {
			req, err := http.ReadRequest(br)
			if err != nil {
				break
			}
			_, _ = io.Copy(io.Discard, req.Body)
			if i == 0 {
				_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
			}
		}
		_ = c.(*net.TCPConn).SetLinger(0)
		c.Close()
	}()
	return ln.Addr().String()
}

func postThatReachedATargetIsNotRepeated(t *testing.T, start Starter) {
	for name, header := range map[string][]string{
		"plain": nil,
		// The library repeats this one on a new connection, and is refused
		// there; that the first connection took it must not be forgotten.
		"with Idempotency-Key": {"Idempotency-Key", "1"},
	} {
		var got atomic.Int64
		h := NewHandler(resetter(t), Backend(t, func(http.ResponseWriter, *http.Request) { got.Add(1) }))
		_, addr := start(t, Options{Handler: h})
		Use(t, addr, h)
		status := Post(t, addr, "hello", header...)
		f := h.Failures()
		if status != http.StatusBadGateway || got.Load() != 0 || len(f) != 1 || !f[0].Sent {
			t.Errorf("%s: status %d, second target got %d requests, failures %+v", name, status, got.Load(), f)
		}
	}
}

// postIsNeverWrittenToAConnectionThatHasEnded: the target closes its kept
// connection and stays; the next request must not be lost to the connection,
// although there is no other target to try.
func postIsNeverWrittenToAConnectionThatHasEnded(t *testing.T, start Starter) {
	var server *http.Server
	closed := make(chan net.Conn, 1)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server = &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) }),
		ConnState: func(c net.Conn, s http.ConnState) {
			if s == http.StateIdle {
				c.Close()
				closed <- c
			}
		},
	}
	go func() { _ = server.Serve(ln) }()
	defer func() { _ = server.Close() }()
	h := NewHandler(ln.Addr().String())
	_, addr := start(t, Options{Handler: h})
	for i := range 200 {
		if status := Post(t, addr, "hello"); status != http.StatusOK {
			t.Fatalf("request %d: %d, failures %+v", i, status, h.Failures())
		}
		<-closed // its FIN is on this machine, and with the gateway's socket
		<-h.Done
	}
}
