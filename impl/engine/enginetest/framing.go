package enginetest

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

const (
	plain   = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
	last    = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
	sized   = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"
	chunked = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n0\r\nT: 1\r\n\r\n"
	both    = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
)

// malformedRequestIsRefusedAndTheLast has what the library takes: engines must not.
func malformedRequestIsRefusedAndTheLast(t *testing.T, start Starter) {
	up := Backend(t, func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) })
	_, addr := start(t, Options{Handler: NewHandler(up)})
	for name, text := range map[string]string{
		"a length and a coding":            plain + both + last,
		"a coding in HTTP/1.0":             plain + strings.Replace(chunked, "HTTP/1.1", "HTTP/1.0\r\nConnection: keep-alive", 1) + last,
		"the first of its kind":            both,
		"cut after another body":           sized + both,
		"Connection names Host":            plain + "GET / HTTP/1.1\r\nHost: a\r\nConnection: X, hOST\r\n\r\n" + last,
		"Connection names the length":      plain + strings.Replace(sized, "Content-Length", "Connection: content-length\r\nContent-Length", 1) + last,
		"Connection names the coding":      plain + strings.Replace(chunked, "Host: a", "Host: a\r\nConnection: keep-alive\r\nConnection: Transfer-Encoding", 1) + last,
		"Trailer announces Host":           plain + strings.Replace(chunked, "Host: a", "Host: a\r\nTrailer: T, Host", 1) + last,
		"Trailer announces Authorization":  plain + strings.Replace(chunked, "Host: a", "Host: a\r\nTrailer: authorization", 1) + last,
		"Trailer without chunks frames it": plain + strings.Replace(sized, "Host: a", "Host: a\r\nTrailer: Content-Length", 1) + last,
		"a path above the root":            plain + strings.Replace(plain, "/", "/..", 1) + last,
	} {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(c, text); err != nil {
			t.Fatal(err)
		}
		if err := c.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(c) // ends when the connection does
		if err != nil {
			t.Errorf("%s: the connection goes on: %v", name, err)
		}
		heads := strings.Split(string(b), "HTTP/1.")[1:]
		if len(heads) == 0 || !strings.HasPrefix(heads[len(heads)-1][2:], "400") || strings.Count(string(b), "HTTP/1.1 200") != len(heads)-1 {
			t.Errorf("%s: got %q, want answers 200, one 400 and the end", name, b)
		}
		c.Close()
	}
}
