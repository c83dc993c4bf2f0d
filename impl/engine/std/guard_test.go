package std

import (
	"bufio"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
)

const (
	plain   = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
	sized   = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"
	chunked = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n0\r\nT: 1\r\n\r\n"
	both    = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
)

// messages are what clients send, with the number of the first request that may be
// read in two ways.
var messages = map[string]struct {
	text  string
	doubt int64
}{
	"ordinary ones":               {plain + sized + chunked + plain, 0},
	"both":                        {both + plain, 1},
	"both, later":                 {sized + chunked + plain + both, 4},
	"both, the coding first":      {strings.Replace(both, "Content-Length: 2\r\nTransfer-Encoding: chunked", "Transfer-Encoding: chunked\r\nContent-Length: 2", 1), 1},
	"both, one folded":            {strings.Replace(both, "coding: ", "coding:\r\n ", 1), 1},
	"both, other letters":         {strings.Replace(both, "Content-Length", "cONTENT-lENGTH", 1), 1},
	"a coding in HTTP/1.0":        {strings.Replace(chunked, "HTTP/1.1", "HTTP/1.0", 1), 1},
	"a length that is folded":     {strings.Replace(sized, "Length: 5", "Length:\r\n 5", 1) + plain + both, 3},
	"bare LF":                     {strings.ReplaceAll(plain, "\r\n", "\n") + strings.ReplaceAll(sized, "\r\n", "\n") + both, 3},
	"names within bodies":         {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 31\r\n\r\n\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked, 0},
	"names within values":         {"GET / HTTP/1.1\r\nHost: a\r\nX: Content-Length: 5\r\n\r\n" + chunked, 0},
	"a trailer that frames":       {strings.Replace(chunked, "T: 1", "Content-Length: 1", 1) + chunked, 0},
	"lines longer than is kept":   {"GET /" + strings.Repeat("x", 3*keptHalf) + " HTTP/1.0\r\nTransfer-Encoding: chunked\r\nX: " + strings.Repeat("y", 5*keptHalf) + "\r\n\r\n", 1},
	"a length that is no number":  {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n" + plain, 2},
	"a size that is no number":    {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n" + plain, 2},
	"the same length twice":       {strings.Replace(sized, "Content-Length: 5", "Content-Length: 5\r\nContent-Length: 5", 1) + both, 2},
	"an empty line after a body":  {sized + "\r\n" + both, 2},
	"a body of HTTP/1.0, no less": {strings.Replace(sized, "HTTP/1.1", "HTTP/1.0", 1) + plain, 0},
}

func TestGuardSeesWhatTheLibraryHides(t *testing.T) {
	for name, m := range messages {
		for _, step := range []int{len(m.text), 1, 7} { // in one piece, and cut anywhere
			var g guard
			for at := 0; at < len(m.text); at += step {
				g.see([]byte(m.text[at:min(at+step, len(m.text))]))
			}
			if got := g.doubt.Load(); got != m.doubt {
				t.Errorf("%s, %d bytes at a time: got request %d in doubt, want %d", name, step, got, m.doubt)
			}
		}
	}
}

// FuzzGuardFollowsTheLibrary holds the guard to the reader whose framing it follows:
// it must see as many heads, and none of them later.
func FuzzGuardFollowsTheLibrary(f *testing.F) {
	for _, m := range messages {
		f.Add(m.text, uint8(3))
	}
	f.Fuzz(func(t *testing.T, text string, step uint8) {
		var g guard
		for at, n := 0, max(1, int(step)); at < len(text); at += n {
			g.see([]byte(text[at:min(at+n, len(text))]))
		}
		r := bufio.NewReader(strings.NewReader(text))
		for n := int64(1); ; n++ {
			req, err := http.ReadRequest(r)
			if err != nil {
				return
			}
			if n > g.seen && (g.doubt.Load() == 0 || g.doubt.Load() > n) {
				t.Fatalf("the library read request %d, the guard saw %d heads and doubts %d, in %q", n, g.seen, g.doubt.Load(), text)
			}
			if _, err := io.Copy(io.Discard, req.Body); err != nil && !errors.Is(err, io.EOF) {
				return
			}
		}
	})
}
