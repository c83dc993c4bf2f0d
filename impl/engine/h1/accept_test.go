package h1

import (
	"slices"
	"strings"
	"testing"

	"github.com/unilb/unilb/impl/exchange"
)

func TestRequestIsReadIntoTheExchange(t *testing.T) {
	type want struct{ method, target, path, query, authority, host string }
	for text, w := range map[string]want{
		"GET /a/../b%20c?x=%31&y HTTP/1.1\r\nHost: Shop.Example:8080\r\n\r\n": {"GET", "/a/../b%20c?x=%31&y", "/b c", "x=%31&y", "Shop.Example:8080", "shop.example"},
		"GET /? HTTP/1.1\r\nHost: a\r\n\r\n":                                  {"GET", "/?", "/", "", "a", "a"},
		"GET //a?b?c HTTP/1.1\r\nHost: a.\r\n\r\n":                            {"GET", "//a?b?c", "/a", "b?c", "a.", "a"},
		"GET /\xc3\xa9 HTTP/1.1\r\nHost: a\r\n\r\n":                           {"GET", "/\xc3\xa9", "/\xc3\xa9", "", "a", "a"},
		"GET / HTTP/1.0\r\n\r\n":                                              {"GET", "/", "/", "", "", ""},
		"GET / HTTP/1.1\r\nHost: [2001:DB8::1]:80\r\n\r\n":                    {"GET", "/", "/", "", "[2001:DB8::1]:80", "[2001:db8::1]"},
		"GET HTTP://A.example/x?y HTTP/1.1\r\nHost: a.Example:80\r\n\r\n":     {"GET", "/x?y", "/x", "y", "A.example", "a.example"},
		"GET https://a:443 HTTP/1.1\r\nHost: a\r\n\r\n":                       {"GET", "/", "/", "", "a:443", "a"},
		"GET http://a:?y HTTP/1.1\r\nHost: a\r\n\r\n":                         {"GET", "/?y", "/", "y", "a:", "a"},
		"GET http://[::1]/x HTTP/1.1\r\nHost: [::1]:80\r\n\r\n":               {"GET", "/x", "/x", "", "[::1]", "[::1]"},
		"CONNECT b:1 HTTP/1.1\r\nHost: a\r\n\r\n":                             {"CONNECT", "b:1", "", "", "b:1", "b"},
		"GET http://a/x HTTP/1.0\r\n\r\n":                                     {"GET", "/x", "/x", "", "a", "a"},
		"CONNECT A:443 HTTP/1.1\r\nHost: a:443\r\n\r\n":                       {"CONNECT", "A:443", "", "", "A:443", "a"},
		"\r\nM-SEARCH / HTTP/1.1\r\nHost: a\r\n\r\n":                          {"M-SEARCH", "/", "/", "", "a", "a"},
	} {
		r := read(Request, text)
		if len(r.got) != 1 || r.err != nil {
			t.Errorf("got %v, want one request of %q", r, text)
			continue
		}
		m := r.got[0]
		if got := (want{m.Method, m.Target, m.Path, m.Query, m.Authority, m.Host}); got != w {
			t.Errorf("got %+v, want %+v of %q", got, w, text)
		}
	}
}

func TestFieldsAreAllButHostAndFraming(t *testing.T) {
	r := read(Request, "POST / HTTP/1.1\r\nA:1\r\nHost: a\r\nb_c: \t2 3 \r\nTrailer: X\r\nTransfer-Encoding: chunked\r\nConnection: close\r\nEmpty:\r\nA: 4\t\t\r\n\r\n")
	want := exchange.Fields{{Name: "A", Value: "1"}, {Name: "b_c", Value: "2 3"}, {Name: "Connection", Value: "close"}, {Name: "Empty", Value: ""}, {Name: "A", Value: "4"}}
	if r.err != nil || !slices.Equal(r.got[0].Fields, want) {
		t.Errorf("got %v, want the fields %v", r, want)
	}
	r = read(Answer, "HTTP/1.1 200 OK\r\nHost: a\r\nContent-Length: 0\r\nTrailer: X\r\n\r\n")
	if want := (exchange.Fields{{Name: "Host", Value: "a"}}); r.err != nil || !slices.Equal(r.got[0].Fields, want) {
		t.Errorf("got %v, want the fields %v", r, want)
	}
}

func TestFramingOfRequests(t *testing.T) {
	old, now := exchange.HTTP10, exchange.HTTP11
	for lines, want := range map[string]Framing{
		"1.1":                               {Proto: now, ContentLength: -1},
		"1.0":                               {Proto: old, ContentLength: -1, Close: true},
		"1.0 Connection: Keep-Alive":        {Proto: old, ContentLength: -1},
		"1.0 Connection: keep-alive, close": {Proto: old, ContentLength: -1, Close: true},
		"1.0 Connection: x":                 {Proto: old, ContentLength: -1, Close: true},
		"1.1 Connection: x, CLOSE":          {Proto: now, ContentLength: -1, Close: true},
		"1.1 Connection: keep-alive|Connection: close":                            {Proto: now, ContentLength: -1, Close: true},
		"1.1 Connection: Hosts, closed, X-Forwarded-For, Authorization":           {Proto: now, ContentLength: -1},
		"1.1 Content-Length: 5":                                                   {Proto: now, Length: 5, ContentLength: 5},
		"1.1 Content-Length: 010":                                                 {Proto: now, Length: 10, ContentLength: 10},
		"1.1 Content-Length: 999999999999999999":                                  {Proto: now, Length: MaxLength, ContentLength: MaxLength},
		"1.1 Content-Length: 0":                                                   {Proto: now},
		"1.1 Transfer-Encoding: CHUNKED|Trailer: a|Trailer: b":                    {Proto: now, Length: Chunked, ContentLength: -1, Trailer: "a"},
		"1.1 Content-Length: 5|Expect: 100-Continue":                              {Proto: now, Length: 5, ContentLength: 5, Expect: true},
		"1.1 Content-Length: 0|Expect: 100-continue":                              {Proto: now},
		"1.1 Expect: 100-continue":                                                {Proto: now, ContentLength: -1},
		"1.1 Transfer-Encoding: chunked|Expect: tea":                              {Proto: now, Length: Chunked, ContentLength: -1, OtherExpect: true},
		"1.0 Content-Length: 5|Expect: 100-continue":                              {Proto: old, Length: 5, ContentLength: 5, Close: true},
		"1.1 Connection: keep-alive, Upgrade|Upgrade: websocket|Upgrade: another": {Proto: now, ContentLength: -1, Upgrade: "websocket"},
		"1.1 Upgrade: websocket":                                                  {Proto: now, ContentLength: -1},
		"1.0 Connection: upgrade, keep-alive|Upgrade: websocket":                  {Proto: old, ContentLength: -1},
	} {
		version, fields, _ := strings.Cut(lines, " ")
		text := "PUT / HTTP/" + version + "\r\nHost: a\r\n"
		if fields != "" {
			text += strings.ReplaceAll(fields, "|", "\r\n") + "\r\n"
		}
		r := read(Request, text+"\r\n")
		if r.err != nil || r.got[0].Framing != want || r.got[0].Length != want.Length {
			t.Errorf("%s: got %+v (%v), want %+v", lines, r.got, r.err, want)
		}
	}
}

func TestFramingOfAnswers(t *testing.T) {
	for _, c := range []struct {
		method, line, fields             string
		length, bodyLength, contentField int64
		close                            bool
	}{
		{"GET", "HTTP/1.1 200 OK", "Content-Length: 5", 5, 5, 5, false},
		{"GET", "HTTP/1.1 200", "Content-Length: 5", 5, 5, 5, false},
		{"GET", "HTTP/1.1 200 ", "Content-Length: 0", 0, 0, 0, false},
		{"GET", "HTTP/1.1 200 OK", "Transfer-Encoding: chunked", Chunked, -1, -1, false},
		{"GET", "HTTP/1.1 200 OK", "X: y", UntilClose, -1, -1, true},
		{"GET", "HTTP/1.0 200 OK", "X: y", UntilClose, -1, -1, true},
		{"GET", "HTTP/1.0 200 OK", "Connection: keep-alive", UntilClose, -1, -1, true},
		{"GET", "HTTP/1.0 200 OK", "Connection: keep-alive\r\nContent-Length: 5", 5, 5, 5, false},
		{"GET", "HTTP/1.0 200 OK", "Content-Length: 5", 5, 5, 5, true},
		{"GET", "HTTP/1.1 200 OK", "Connection: close\r\nContent-Length: 5", 5, 5, 5, true},
		{"HEAD", "HTTP/1.1 200 OK", "Content-Length: 5", 0, 5, 5, false},
		{"HEAD", "HTTP/1.1 200 OK", "Transfer-Encoding: chunked", 0, -1, -1, false},
		{"HEAD", "HTTP/1.1 200 OK", "X: y", 0, -1, -1, false},
		{"HEAD", "HTTP/1.1 304 Not Modified", "Content-Length: 5", 0, 0, 5, false},
		{"GET", "HTTP/1.1 304 Not Modified", "Content-Length: 5", 0, 0, 5, false},
		{"GET", "HTTP/1.1 204 No Content", "Content-Length: 5", 0, 0, 5, false},
		{"GET", "HTTP/1.1 204 No Content", "Transfer-Encoding: chunked", 0, 0, -1, false},
		{"GET", "HTTP/1.1 100 Continue", "X: y", 0, 0, -1, false},
		{"GET", "HTTP/1.1 101 Switching Protocols", "Connection: upgrade\r\nUpgrade: websocket", 0, 0, -1, false},
		{"CONNECT", "HTTP/1.1 200 OK", "Content-Length: 5", 0, 0, 5, false},
		{"CONNECT", "HTTP/1.1 403 Forbidden", "Content-Length: 5", 5, 5, 5, false},
		{"GET", "HTTP/1.1 999 What", "Content-Length: 5", 5, 5, 5, false},
	} {
		r := newReading(Answer)
		r.method = c.method
		r.feed(c.line + "\r\n" + c.fields + "\r\n\r\n")
		if r.err != nil || len(r.got) != 1 {
			t.Errorf("%s %s %s: got %v", c.method, c.line, c.fields, r)
			continue
		}
		m := r.got[0]
		if f := m.Framing; f.Length != c.length || m.Length != c.bodyLength || f.ContentLength != c.contentField || f.Close != c.close {
			t.Errorf("%s %s %s: got length %d, body length %d, field %d, close %v, want %d, %d, %d, %v", c.method, c.line, c.fields,
				f.Length, m.Length, f.ContentLength, f.Close, c.length, c.bodyLength, c.contentField, c.close)
		}
		if m.Status == 101 && m.Framing.Upgrade != "websocket" {
			t.Errorf("101: got the upgrade %q", m.Framing.Upgrade)
		}
	}
}

func TestParsersTakeExactlyOneHead(t *testing.T) {
	var x exchange.Exchange
	var f Framing
	for _, text := range []string{"", "\r\n", "\r\n\r\n", "GET / HTTP/1.1", "GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\nHost: a\r\n", small + "x", small + small, small[:len(small)-1], "HTTP/1.1 200 OK\r\n"} {
		if err := ParseRequest([]byte(text), &x.Request, &x.Arena, &f); ReasonOf(err) == NoReason {
			t.Errorf("got %v of %q, want a refusal", err, text)
		}
		if err := ParseAnswer([]byte(text), "GET", &x.Response, &f); ReasonOf(err) == NoReason {
			t.Errorf("got %v of %q, want a refusal", err, text)
		}
	}
}

func TestWhatCannotBecomeAHeadIsRefusedBeforeItsEnd(t *testing.T) {
	for _, c := range []struct {
		kind   Kind
		pieces []string // only the last is refused
		want   Reason
	}{
		{Request, []string{"\x16"}, ReasonNotHTTP},
		{Request, []string{"GET / HTTP/1.1\r\nX: ", "a\nb"}, ReasonBareLF},
		{Request, []string{"GET / HTTP/1.1\r\nX: a\r", "b"}, ReasonBareCR},
		{Request, []string{"GET / HTTP/1.1\r\nX: a", "b\rc"}, ReasonBareCR},
		{Request, []string{"GET /", "\n"}, ReasonBareLF},
		{Request, []string{"G", "E", "("}, ReasonMethod},
		{Request, []string{strings.Repeat("G", MaxMethod), "G"}, ReasonMethod},
		{Request, []string{"\r\n\r", "\n"}, ReasonRequestLine},
		{Request, []string{"GET /" + strings.Repeat("y", MaxHead-6), "y"}, ReasonTargetTooLong},
		{Request, []string{"GET / HTTP/1.1\r\n" + strings.Repeat("y", MaxHead-17), "y"}, ReasonHeadTooLong},
		{Answer, []string{"HTT", "X"}, ReasonNotHTTP},
		{Answer, []string{"HTTP/", "2"}, ReasonVersion},
		{Answer, []string{"\r"}, ReasonNotHTTP},
	} {
		r := newReading(c.kind)
		for i, p := range c.pieces {
			if r.err != nil {
				t.Errorf("%.80q: got %v before piece %d", c.pieces, r.err, i)
			}
			r.feed(p)
		}
		if got := ReasonOf(r.err); got != c.want {
			t.Errorf("%.80q: got %v, want %v", c.pieces, r.err, c.want)
		}
	}
}

func TestDripFedHeadIsLookedAtOnce(t *testing.T) {
	// 64 KiB, byte by byte, as one line and as many: quadratic work would be two
	// thousand million steps and show as a test that lasts minutes.
	for name, text := range map[string]string{
		"one line":   "GET / HTTP/1.1\r\nX: " + strings.Repeat("y", MaxHead-40) + "\r\n\r\n",
		"many lines": "GET / HTTP/1.1\r\n" + strings.Repeat("X: y\r\n", MaxHead/8) + "\r\n",
	} {
		var s Scan
		b := []byte(text)
		for i := range b {
			n, err := s.Head(b[:i+1], MaxHead, Request)
			if err != nil || (n != 0) != (i+1 == len(b)) {
				t.Fatalf("%s: got %d, %v after %d of %d bytes", name, n, err, i+1, len(b))
			}
			if i > 20 && s.seen < i-1 {
				t.Fatalf("%s: %d bytes would be looked at again", name, i-s.seen)
			}
		}
	}
}
