package traffic

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/unilb/unilb/sim/http1"
)

func TestRepliesEndWhereTheirFramingSays(t *testing.T) {
	for name, c := range map[string]struct {
		method, text string
		want         string // status, length, body kept, close; or the error
		rest         string
	}{
		"sized":               {"GET", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcrest", "200 3 ab false", "rest"},
		"chunked":             {"GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n2\r\nbc\r\n0\r\n\r\nrest", "200 3 ab false", "rest"},
		"up to the end":       {"GET", "HTTP/1.1 200 OK\r\n\r\nabcrest", "200 7 ab true", ""},
		"nothing":             {"GET", "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\nrest", "200 0  false", "rest"},
		"HEAD":                {"HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nrest", "200 0  false", "rest"},
		"no content":          {"GET", "HTTP/1.1 204 x\r\n\r\nrest", "204 0  false", "rest"},
		"not modified":        {"GET", "HTTP/1.1 304 x\r\nContent-Length: 3\r\n\r\nrest", "304 0  false", "rest"},
		"after informational": {"GET", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 x\r\nA: b\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\narest", "200 1 a false", "rest"},
		"switching":           {"GET", "HTTP/1.1 101 x\r\n\r\nrest", "101 0  true", "rest"},
		"close":               {"GET", "HTTP/1.1 200 OK\r\nconnection: x, Close\r\nContent-Length: 1\r\n\r\na", "200 1 a true", ""},
		"old":                 {"GET", "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\na", "200 1 a true", ""},
		"old but kept":        {"GET", "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\na", "200 1 a false", ""},
		"only informational":  {"GET", strings.Repeat("HTTP/1.1 102 x\r\n\r\n", 99), "not HTTP/1.1", ""},
		"two lengths":         {"GET", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "not HTTP/1.1", ""},
		"no status":           {"GET", "HTTP/1.1 OK\r\n\r\n", "not HTTP/1.1", ""},
		"another protocol":    {"GET", "SSH-2.0-x\r\n\r\n", "not HTTP/1.1", ""},
		"cut":                 {"GET", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab", io.ErrUnexpectedEOF.Error(), ""},
	} {
		t.Run(name, func(t *testing.T) {
			conn := &conn{r: http1.Reader{Reader: bufio.NewReader(strings.NewReader(c.text))}}
			r, err := conn.read(c.method, 2)
			var got string
			switch {
			case errors.Is(err, http1.ErrMalformed):
				got = http1.ErrMalformed.Error()
			case err != nil:
				got = err.Error()
			default:
				got = fmt.Sprint(r.Status, " ", r.Length, " ", string(r.Body), " ", r.Close)
			}
			if got != c.want {
				t.Fatalf("got %q, want %q (%v)", got, c.want, err)
			}
			if rest, _ := io.ReadAll(conn.r); err == nil && string(rest) != c.rest {
				t.Errorf("after the response: got %q, want %q", rest, c.rest)
			}
		})
	}
}
