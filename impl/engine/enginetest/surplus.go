package enginetest

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
)

// talkative answers each request with its path, in a header and without a body, and
// puts an answer to a request that nobody made behind it.
func talkative(t *testing.T) string {
	return rawTarget(t, func(c net.Conn, br *bufio.Reader) {
		for {
			r, err := http.ReadRequest(br)
			if err != nil {
				return
			}
			_, _ = fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nX-Path: %s\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\nX-Path: surplus\r\nContent-Length: 0\r\n\r\n", r.URL.Path)
		}
	})
}

// whatFollowsAnAnswerIsNobodysAnswer: with many requests at once a connection
// is wanted the moment that it is free, before the library has looked at it.
func whatFollowsAnAnswerIsNobodysAnswer(t *testing.T, start Starter) {
	h := NewHandler(talkative(t))
	t.Cleanup(func() { close(h.Done) }) // after the engine has ended
	go func() {
		for range h.Done { // or the handler would wait for somebody who takes it
		}
	}()
	_, addr := start(t, Options{Handler: h})
	var running sync.WaitGroup
	for i := range 16 {
		running.Go(func() {
			client := &http.Client{Transport: &http.Transport{}}
			defer client.CloseIdleConnections()
			for n := range 150 {
				path := fmt.Sprintf("/%d-%d", i, n)
				resp, err := client.Get("http://" + addr + path)
				if err != nil {
					t.Errorf("%s: %v", path, err)
					return
				}
				_, _ = io.Copy(io.Discard, resp.Body)
				_ = resp.Body.Close()
				if got := resp.Header.Get("X-Path"); resp.StatusCode != http.StatusOK || got != path {
					t.Errorf("%s: got %d with the answer to %q", path, resp.StatusCode, got)
					return
				}
			}
		})
	}
	running.Wait()
}
