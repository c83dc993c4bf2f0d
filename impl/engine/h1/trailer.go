package h1

import (
	"bytes"

	"github.com/unilb/unilb/impl/exchange"
)

// Limits of trailers, those that are dropped included.
const (
	MaxTrailers     = 32
	MaxTrailerBytes = 8 << 10
)

// trailers gathers the fields behind the last chunk. They are copied: the bytes
// they came in are gone when the message ends.
type trailers struct {
	buf    []byte // kept lines, and the one under way
	line   int    // where that begins
	taken  int    // bytes
	count  int    // lines
	fields exchange.Fields
}

func (t *trailers) reset() {
	t.buf, t.line, t.taken, t.count, t.fields = t.buf[:0], 0, 0, 0, t.fields[:0]
}

// take takes the next bytes and returns how many belong to the trailers. done: the
// blank line was among them.
func (t *trailers) take(b []byte) (n int, done bool, bad Reason) {
	if t.taken == 0 && len(b) >= 2 && b[0] == '\r' && b[1] == '\n' {
		return 2, true, NoReason // none, as nearly always
	}
	for n < len(b) {
		end := bytes.IndexByte(b[n:], '\n') + 1
		piece := b[n:]
		if end > 0 {
			piece = piece[:end]
		}
		if t.taken += len(piece); t.taken > MaxTrailerBytes {
			return n, false, ReasonTrailersTooLong
		}
		t.buf = append(t.buf, piece...)
		n += len(piece)
		if end == 0 {
			return n, false, NoReason
		}
		if done, bad = t.ended(); done || bad != NoReason {
			return n, done, bad
		}
	}
	return n, false, NoReason
}

// ended takes the line that is complete in buf.
func (t *trailers) ended() (done bool, bad Reason) {
	line := view(t.buf[t.line:])
	switch {
	case len(line) < 2 || line[len(line)-2] != '\r':
		return false, ReasonBareLF
	case len(line) == 2:
		t.index()
		return true, NoReason
	}
	f, _, bad := fieldLine(line, 0)
	if bad != NoReason {
		return false, bad
	}
	if t.count++; t.count > MaxTrailers {
		return false, ReasonTrailersTooLong
	}
	if DropTrailer(f.Name) {
		t.buf = t.buf[:t.line]
	}
	t.line = len(t.buf)
	return false, NoReason
}

// index makes the fields, when buf does not move any more.
func (t *trailers) index() {
	s := view(t.buf[:t.line])
	for i := 0; i < len(s); {
		f, next, _ := fieldLine(s, i) // every line was read before
		t.fields = append(t.fields, f)
		i = next
	}
}

// notTrailers are the fields that mean nothing good behind a body: a recipient
// that merges trailers into the head would frame, route, authorise or decode by
// what nobody has checked (RFC 9110 6.5.1), or believe what only a gateway says.
var notTrailers = [...]string{
	"Content-Length", "Transfer-Encoding", "Trailer", "Host",
	"Connection", "Keep-Alive", "Proxy-Connection", "Upgrade", "TE", "HTTP2-Settings",
	"Authorization", "Proxy-Authorization", "WWW-Authenticate", "Proxy-Authenticate", "Authentication-Info", "Proxy-Authentication-Info",
	"Cookie", "Set-Cookie", "Content-Encoding", "Content-Type", "Content-Range", "Content-Location",
	"Cache-Control", "Expect", "Max-Forwards", "Pragma", "Range", "If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since", "If-Range",
	"Age", "Date", "Expires", "Location", "Retry-After", "Vary", "Server",
	"Forwarded", "X-Real-IP",
}

// DropTrailer tells the trailer fields that are read and not passed on, by their
// names without case.
func DropTrailer(name string) bool {
	for _, n := range notTrailers {
		if exchange.EqualFold(n, name) {
			return true
		}
	}
	const forwarded = "X-Forwarded-"
	return len(name) >= len(forwarded) && exchange.EqualFold(name[:len(forwarded)], forwarded)
}

// TrailerNames appends to dst, as fields without values, the names that a Trailer
// field announces, without those that are never passed on.
func TrailerNames(dst exchange.Fields, list string) exchange.Fields {
	n := 0
	for name := range exchange.Tokens(list) {
		if n++; n > MaxTrailers {
			break
		}
		if IsToken(name) && !DropTrailer(name) {
			dst = append(dst, exchange.Field{Name: name})
		}
	}
	return dst
}
