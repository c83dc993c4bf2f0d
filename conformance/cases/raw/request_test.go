package raw

import (
	"strings"
	"testing"
)

const head = "POST /a HTTP/1.1\r\nHost: x\r\n"

// What a backend saw is evidence: what two readers may see differently must never
// pass for a request.
func TestOnlyOneReadingIsARequest(t *testing.T) {
	whole := map[string]string{ // text: body
		head + "\r\n":                           "",
		head + "Content-Length: 5\r\n\r\nhello": "hello",
		head + "Transfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\nX-T: 1\r\n\r\n": "hello",
		head + "transfer-encoding: CHUNKED\r\n\r\n3\r\nhel\r\n02\r\nlo\r\n0\r\n\r\n":     "hello",
		"GET /a HTTP/1.0\r\n\r\n":                    "",
		head + "X-Empty:\r\nX-High: \xff\t.\r\n\r\n": "",
	}
	for text, body := range whole {
		for n := range len(text) {
			if _, got, err := next([]byte(text[:n])); got != 0 || err != nil {
				t.Errorf("%q: got %d, %v, want more to come", text[:n], got, err)
			}
		}
		r, n, err := next([]byte(text + "GET "))
		if err != nil || n != len(text) || string(r.Body) != body {
			t.Errorf("%q: got %d bytes with body %q, %v; want %d with %q", text, n, r.Body, err, len(text), body)
		}
	}
	doubts := []string{
		"\r\n" + head + "\r\n", "GET /a HTTP/1.1\nHost: x\n\n", head + "X: a\nY: b\r\n\r\n", head + "X: a\rY: b\r\n\r\n", head + "X: a\x00\r\n\r\n",
		"GET  /a HTTP/1.1\r\nHost: x\r\n\r\n", "GET /a b HTTP/1.1\r\nHost: x\r\n\r\n", "G(T /a HTTP/1.1\r\nHost: x\r\n\r\n", "GET /a HTTP/1.2\r\nHost: x\r\n\r\n",
		"GET /a\x7f HTTP/1.1\r\nHost: x\r\n\r\n", "GET /a HTTP/1.1\r\n\r\n", head + "Host: x\r\n\r\n", head + "X : a\r\n\r\n", head + " X: a\r\n\r\n", head + ": a\r\n\r\n",
		head + "X\r\n\r\n", head + "X: a\r\n b\r\n\r\n", head + "X: \x01\r\n\r\n",
		head + "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello", head + "Content-Length: +5\r\n\r\nhello", head + "Content-Length: 5, 5\r\n\r\nhello",
		head + "Content-Length:\r\n\r\n", head + "Content-Length: 99999999999\r\n\r\n",
		head + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", head + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		head + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "POST /a HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
	}
	for _, size := range []string{"0x5", "+5", "-5", "5 ", " 5", "", "g", "5\n", "0_5", "10000000000000005", "00000000000000005", ";a"} {
		doubts = append(doubts, head+"Transfer-Encoding: chunked\r\n\r\n"+size+"\r\nhello\r\n0\r\n\r\n")
	}
	doubts = append(doubts, head+"Transfer-Encoding: chunked\r\n\r\n5\r\nhelloXX0\r\n\r\n", head+"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nno colon\r\n\r\n")
	for _, text := range doubts {
		if r, n, err := next([]byte(text)); err == nil {
			t.Errorf("%q: got %d bytes, %s; want a doubt", text, n, r)
		}
	}
	long := head + "X: " + strings.Repeat("x", 300_000) + "\r\n\r\n"
	if _, n, err := next([]byte(long)); n != len(long) || err != nil {
		t.Errorf("a long head: got %d, %v", n, err)
	}
}
