package h1

import "bytes"

// Kind tells the two directions apart.
type Kind uint8

// The kinds of messages.
const (
	Request Kind = iota // from a client
	Answer              // from an upstream
)

// Limits of heads.
const (
	// MaxHead is the default limit of a head in bytes, with its blank line.
	MaxHead = 64 << 10
	// MaxMethod in bytes.
	MaxMethod = 32
	// MaxFields is how many field lines a head may have.
	MaxFields = 96
)

// Scan finds the end of a head while its bytes arrive. It looks at each byte a
// bounded number of times, however small the pieces are. The zero value is ready
// for a head; so is one that was set to it again.
type Scan struct {
	at    int  // whole lines end here
	seen  int  // in what is before this there is no LF beyond at
	lines int  // whole lines
	begun bool // the first bytes may begin a message
}

// Head returns the length of the head, with its blank line; 0: more bytes are
// needed. b is everything since the head began, and has perhaps grown since the
// last call; max is the limit in bytes. One empty line before a request is passed
// over, as RFC 9112 2.2 asks, and counts.
//
// It refuses early what a parser would never get to see: bytes that cannot begin
// a message, lines that do not end in CRLF, a head beyond the limit. What it says
// does not depend on the pieces in which the bytes arrive.
func (s *Scan) Head(b []byte, max int, kind Kind) (int, error) {
	b = b[:min(len(b), max)]
	if !s.begun {
		if err := s.begin(b, kind); err != nil {
			return 0, err
		}
	}
	from, before := s.at, s.lines
	blank, ok := s.wholeLines(b)
	switch {
	case !ok, bytes.Count(b[from:s.at], cr) != s.lines-before: // as many CR as lines: each at its end
		return 0, bareEnd(b, from, before)
	case blank:
		return s.at, nil
	}
	rest := b[s.seen:]
	i := bytes.IndexByte(rest, '\r')
	if i >= 0 && i < len(rest)-1 {
		return 0, bareEnd(b, from, before)
	}
	s.seen = len(b)
	if i >= 0 {
		s.seen-- // its LF may be next
	}
	switch {
	case len(b) < max:
		return 0, nil
	case s.lines == 0 && kind == Request:
		return 0, Malformed{ReasonTargetTooLong, 1}
	}
	return 0, Malformed{ReasonHeadTooLong, s.lines + 1}
}

// wholeLines moves on over all lines that have their end, up to the blank one.
func (s *Scan) wholeLines(b []byte) (blank, ok bool) {
	for {
		i := bytes.IndexByte(b[s.seen:], '\n')
		if i < 0 {
			return false, true
		}
		end := s.seen + i
		if end == s.at || b[end-1] != '\r' {
			return false, false
		}
		blank = end-1 == s.at
		s.at, s.seen = end+1, end+1
		s.lines++
		if blank {
			return true, true
		}
	}
}

// begin looks at the first bytes of a message.
func (s *Scan) begin(b []byte, kind Kind) error {
	if kind == Answer {
		return s.beginAnswer(b)
	}
	if s.at == 0 && len(b) > 1 && b[0] == '\r' && b[1] == '\n' {
		s.at, s.seen = 2, 2
	}
	i := s.at
	for i < len(b) && has(b[i], inToken) {
		i++
	}
	n := i - s.at
	switch {
	case n > MaxMethod:
		return Malformed{ReasonMethod, 1}
	case i == len(b):
		return nil
	}
	switch c := b[i]; {
	case c == '\n':
		return Malformed{ReasonBareLF, 1}
	case n == 0 && c == '\r':
		if i+1 == len(b) {
			return nil
		}
		if b[i+1] != '\n' {
			return Malformed{ReasonBareCR, 1}
		}
		return Malformed{ReasonRequestLine, 1} // a second empty line
	case c == ' ' && n > 0, c == '\r':
		s.begun = true
		return nil
	case n == 0 && (c < ' ' || c >= 0x7f) && c != '\t':
		return Malformed{ReasonNotHTTP, 1}
	case c == ' ', c == '\t':
		return Malformed{ReasonRequestLine, 1}
	}
	return Malformed{ReasonMethod, 1}
}

func (s *Scan) beginAnswer(b []byte) error {
	const start = "HTTP/1."
	n := min(len(b), len(start))
	for i := range n {
		switch {
		case b[i] == start[i]:
		case i < len("HTTP/"):
			return Malformed{ReasonNotHTTP, 1}
		default:
			return Malformed{ReasonVersion, 1}
		}
	}
	s.begun = n == len(start)
	return nil
}

var cr = []byte{'\r'}

// bareEnd returns the first end of a line from i on that is not CRLF.
func bareEnd(b []byte, i, lines int) error {
	for ; i < len(b); i++ {
		switch {
		case b[i] == '\n':
			return Malformed{ReasonBareLF, lines + 1}
		case b[i] != '\r' || i+1 == len(b):
		case b[i+1] != '\n':
			return Malformed{ReasonBareCR, lines + 1}
		default:
			i++
			lines++
		}
	}
	return nil
}
