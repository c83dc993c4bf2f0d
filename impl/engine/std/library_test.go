package std

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/unilb/unilb/impl/engine/enginetest"
)

// TestWhatTheLibraryRefusesIsCounted: on a fresh connection and behind an answer, each
// once; and what we answer ourselves, or a target does, is not among it, whatever it
// looks like.
func TestWhatTheLibraryRefusesIsCounted(t *testing.T) {
	const ok = "GET / HTTP/1.1\r\nHost: h\r\n\r\n"
	look := "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n400 Bad Request"
	up := enginetest.Backend(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusNotFound)
		_ = http.NewResponseController(w).Flush() // the body is a write of its own
		_, _ = io.WriteString(w, look)
	})
	h := enginetest.NewHandler(up)
	t.Cleanup(func() { close(h.Done) }) // after the engine has ended
	go func() {
		for range h.Done { // or the handler would wait for somebody who takes it
		}
	}()
	e, addr := start(t, Options{Handler: h})
	refused := int64(0)
	for name, tc := range map[string]struct {
		text, answer string
		library      int64
	}{
		"a line that is none":                 {"garbage\r\n\r\n", "400", 1},
		"a space before a colon":              {"GET / HTTP/1.1\r\nHost : h\r\n\r\n", "400", 1},
		"no host":                             {"GET / HTTP/1.1\r\n\r\n", "400", 1},
		"too long a head":                     {"GET / HTTP/1.1\r\nHost: h\r\nX: " + strings.Repeat("x", 100<<10) + "\r\n\r\n", "431", 1},
		"an unknown coding":                   {"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip\r\n\r\n", "501", 1},
		"another version":                     {"GET / HTTP/3.7\r\nHost: h\r\n\r\n", "505", 1},
		"an expectation that nobody meets":    {"GET / HTTP/1.1\r\nHost: h\r\nExpect: more\r\n\r\n", "417", 1},
		"behind an answer":                    {ok + "garbage\r\n\r\n", "400", 1},
		"behind two":                          {ok + ok + "garbage\r\n\r\n", "400", 1},
		"a path that we refuse ourselves":     {"GET /a/../.. HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", "400", 0},
		"a method that we refuse ourselves":   {"CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\nConnection: close\r\n\r\n", "405", 0},
		"a body that looks like an answer":    {"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", "404", 0},
		"such a body, behind another":         {ok + "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", "404", 0},
		"a client that leaves without a word": {"", "", 0},
	} {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		_ = c.SetDeadline(time.Now().Add(20 * time.Second)) // sockets take them
		if _, err := fmt.Fprint(c, tc.text); err != nil {
			t.Fatal(err)
		}
		last := ""
		if tc.text == "" {
			_ = c.(*net.TCPConn).CloseWrite() // sockets can
		}
		for br := bufio.NewReader(c); ; {
			resp, err := http.ReadResponse(br, nil)
			if err != nil {
				break
			}
			last = resp.Status[:3]
			_, _ = io.Copy(io.Discard, resp.Body) // the head is what matters
		}
		c.Close()
		refused += tc.library
		if got := e.Refused()["library"]; last != tc.answer || got != refused {
			t.Errorf("%s: last answer %q, %d counted since the start, want %q, %d", name, last, got, tc.answer, refused)
			refused = got
		}
	}
}
