//go:build slow

package loop

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// A filter sees the last call for a body that ends with its connection.
func TestFilterIsToldOfTheEndOfABodyThatEndsWithItsConnection(t *testing.T) {
	t.Parallel()
	target := listen(t, 0, func(c net.Conn) {
		_, _ = http.ReadRequest(bufio.NewReader(c))
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\nquiet")
		c.Close()
	})
	h := &fn{target: target, filter: func(b []byte, last bool) []byte {
		out := bytes.ToUpper(b)
		if last {
			out = append(out, '!')
		}
		return out
	}}
	_, addr, _ := serve(t, Options{Handler: h})
	resp, err := http.Get("http://" + addr)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(resp.Body); string(b) != "QUIET!" || err != nil {
		t.Errorf("%q %v", b, err)
	}
}

// A filter puts something into an empty body.
func TestFilterMayAddToAnEmptyBody(t *testing.T) {
	t.Parallel()
	target := listen(t, 0, func(c net.Conn) {
		br := bufio.NewReader(c)
		_, _ = http.ReadRequest(br)
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		_, _ = br.ReadByte()
	})
	h := &fn{target: target, filter: func(b []byte, last bool) []byte {
		if last {
			return []byte("HTTP/1.1 200 OK\r\nX-Evil: 1\r\nContent-Length: 0\r\n\r\n")
		}
		return b
	}}
	_, addr, _ := serve(t, Options{Handler: h})
	c := dial(t, addr, 0)
	_, _ = io.WriteString(c, get)
	<-time.After(300 * time.Millisecond)
	b := make([]byte, 4096)
	n, _ := c.Read(b)
	t.Logf("%q", b[:n])
	if strings.Contains(string(b[:n]), "\r\n\r\nHTTP") {
		t.Errorf("bytes behind an answer without a body: %q", b[:n])
	}
}

// After a 413 the next request is not swallowed.
func TestNothingIsServedBehindABodyThatIsTooLong(t *testing.T) {
	t.Parallel()
	h := &fn{target: parrot(t, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")}
	_, addr, _ := serve(t, Options{Handler: h, MaxBody: 4})
	c := dial(t, addr, 0)
	// the head of the second is cut in two: the first half is swallowed with the body
	_, _ = io.WriteString(c, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello"+"GET /first HTTP/1.1\r\nHost: h\r\nX-A: ")
	br := bufio.NewReader(c)
	resp, err := http.ReadResponse(br, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.ReadAll(resp.Body)
	t.Logf("first %d close=%t", resp.StatusCode, resp.Close)
	if resp.Close {
		return
	}
	_, _ = io.WriteString(c, "GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n")
	_ = c.SetDeadline(time.Now().Add(2 * time.Second))
	resp, err = http.ReadResponse(br, nil)
	if err != nil {
		t.Errorf("no answer to the second: %v", err)
		return
	}
	t.Errorf("what was inside a field was served as a request: %d; %s", resp.StatusCode, h.say())
}
