package h2

import (
	"github.com/unilb/unilb/impl/engine/h1"
	"github.com/unilb/unilb/impl/exchange"
)

// NoLength is the length of an answer that says nothing about its body's.
const NoLength int64 = -1

// Answer is what the head of an answer says beside status and fields.
type Answer struct {
	// Length of the body in bytes, also where none follows (HEAD, 304); or NoLength.
	Length int64
	// End: no body follows, nor trailers.
	End bool
	// Trailer announces the names of trailers.
	Trailer exchange.Fields
	// Date is the value of the field of that name where the fields have none; "":
	// write none.
	Date string
}

// Interim writes an interim answer (1xx). HTTP/2 has no 101: it is not written.
func (s *Stream) Interim(status int, fields exchange.Fields, edits exchange.Edits) {
	c := s.c
	if c == nil || c.dead || s.headed || status/100 != 1 || status == 101 {
		return
	}
	b, at := s.beginBlock()
	b = c.enc.status(b, status)
	b, _ = c.enc.fields(b, fields, edits, false)
	c.out.Take(endBlock(b, at, s.id, 0))
}

// Answer writes the head of the answer: the fields with the edits applied as
// exchange.Apply does, except those that belong to connections of HTTP/1.1 and those
// that frame, which are the engine's, whatever fields and edits say. Names become
// lower case; bytes that no value may have become blanks. With End the stream ends.
func (s *Stream) Answer(status int, fields exchange.Fields, edits exchange.Edits, a Answer) {
	c := s.c
	if c == nil || c.dead || s.headed {
		return
	}
	s.headed = true
	b, at := s.beginBlock()
	b = c.enc.status(b, status)
	b, found := c.enc.fields(b, fields, edits, false)
	if a.Length >= 0 && status >= 200 && status != 204 {
		b = c.enc.length(b, a.Length)
	}
	if a.Date != "" && found&foundDate == 0 {
		b = c.enc.field(b, "date", a.Date)
	}
	if !a.End {
		b = c.enc.announce(b, a.Trailer)
	}
	c.out.Take(endBlock(b, at, s.id, endFlag(a.End)))
	if a.End {
		s.wrote()
	}
}

// Data writes a part of the body and returns how many bytes of b it has
// taken: as many as the windows of stream and connection, and the output, allow. When
// that is not all, the owner keeps the rest, and Writable will be called. end: there
// is no more; when all is taken, our side of the stream ends.
func (s *Stream) Data(b []byte, end bool) int {
	if s.c == nil || s.c.dead || !s.headed {
		return 0
	}
	n := 0
	for n < len(b) {
		room := s.Room()
		if room == 0 {
			return n
		}
		k := min(room, len(b)-n)
		s.frames(b[n:n+k], end && n+k == len(b))
		n += k
	}
	s.c.budget.paced(n)
	if len(b) == 0 && end {
		s.frames(nil, true)
	}
	if end {
		s.wrote()
	}
	return n
}

// frames writes b, for which there is room.
func (s *Stream) frames(b []byte, end bool) {
	c := s.c
	out := c.out.Room()
	for rest := b; ; {
		k := min(len(rest), frameSize)
		out = appendHeader(out, k, kindData, endFlag(end && k == len(rest)), s.id)
		out = append(out, rest[:k]...)
		c.budget.moved(k)
		if rest = rest[k:]; len(rest) == 0 {
			break
		}
	}
	s.send -= int64(len(b))
	c.send -= int64(len(b))
	c.out.Take(out)
}

// End ends the body with trailers, if there are any. Those that are never passed on
// are left out (see h1.DropTrailer).
func (s *Stream) End(trailers exchange.Fields) {
	c := s.c
	if c == nil || c.dead || !s.headed {
		return
	}
	b, at := s.beginBlock()
	for i := range trailers {
		if t := &trailers[i]; h1.IsToken(t.Name) && !h1.DropTrailer(t.Name) && !owns(t.Name) {
			b = c.enc.field(b, t.Name, t.Value)
		}
	}
	if len(b) == at+headerSize {
		c.out.Take(appendHeader(b[:at], 0, kindData, flagEndStream, s.id))
	} else {
		c.out.Take(endBlock(b, at, s.id, flagEndStream))
	}
	s.wrote()
}

// beginBlock leaves room for the header of a frame, which endBlock fills in.
func (s *Stream) beginBlock() (b []byte, at int) {
	b = s.c.out.Room()
	return s.c.enc.begin(appendHeader(b, 0, kindHeaders, 0, 0)), len(b)
}

func endFlag(end bool) uint8 {
	if end {
		return flagEndStream
	}
	return 0
}
