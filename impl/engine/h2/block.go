package h2

import (
	"golang.org/x/net/http2/hpack"

	"github.com/unilb/unilb/impl/engine/h1"
	"github.com/unilb/unilb/impl/exchange"
)

// A block reads a header block. The library keeps the dynamic table, and makes a
// string of every field that goes into it; fields that do not (a path that changes
// with each request, as most clients send it) are read here, into the arena, so that
// they cost no allocation.
type block struct {
	arena  *exchange.Arena
	fields exchange.Fields
	room   int  // of the header list, in bytes
	count  int  // of fields, with a cookie in pieces as one
	behind bool // it is of trailers
	answer bool // it is of a target's answer
	off    bool // nobody wants its fields
	bad    Reason
	heard

	dec  *hpack.Decoder
	name string // that was asked of the dynamic table
	asks bool
	huff writer
}

// begin is ready for a block whose fields are appended to fields.
func (k *block) begin(fields exchange.Fields, a *exchange.Arena, room int) {
	*k = block{arena: a, fields: fields, room: room, huff: k.huff[:0]}
	k.length = -1
}

// skip is ready for one that nobody wants.
func (k *block) skip() {
	k.begin(nil, nil, 0)
	k.off = true
}

// refuse notes the first reason against the block, if it is one. The rest is only
// decoded.
func (k *block) refuse(why Reason) {
	if k.bad == NoReason && why != NoReason {
		k.bad, k.off = why, true
		k.dec.SetEmitEnabled(false)
	}
}

// maxKept is how many fields of one block may go into the table. Each moves all that
// are there when the table is full: work that a few bytes must not make without end.
const maxKept = 512

// decode reads the whole block p. What the fields say is in k.
func (k *block) decode(dec *hpack.Decoder, p []byte) Reason {
	k.dec, k.off = dec, k.off || k.bad != NoReason
	dec.SetEmitEnabled(!k.off)
	from, updates, kept, fields := 0, 0, 0, false // p[from:i] is for the library
	for i := 0; i < len(p); {
		n, why := 0, NoReason
		switch b := p[i]; {
		case b >= 0x80: // a field of a table
			_, n = number(p[i:], 7)
			fields = true
		case b >= 0x40: // a literal that goes into the table
			_, _, _, n = literal(p[i:], 6)
			if kept++; kept > maxKept {
				return ReasonBlock
			}
			fields = true
		case b >= 0x20: // another size of the table
			_, n = number(p[i:], 5)
			if updates++; fields || updates > mostTableSizeUpdates {
				n = 0
			}
		default: // a literal that does not
			if why = k.library(p[from:i]); why == NoReason {
				n, why = k.passing(p[i:])
			}
			from = i + n
			fields = true
		}
		if n == 0 || why != NoReason {
			return ReasonCompression
		}
		i += n
	}
	why := k.library(p[from:])
	if dec.Close() != nil {
		why = ReasonCompression
	}
	return why
}

// library has the library read a part of the block.
func (k *block) library(p []byte) Reason {
	if _, err := k.dec.Write(p); err != nil {
		return ReasonCompression
	}
	return NoReason
}

// emit is given what the library has read.
func (k *block) emit(f hpack.HeaderField) {
	if k.asks {
		k.name = f.Name
		return
	}
	k.take(f.Name, f.Value)
}

// passing reads a literal that does not go into the table, and returns its length.
func (k *block) passing(p []byte) (int, Reason) {
	index, name, value, n := literal(p, 4)
	if n == 0 {
		return 0, ReasonCompression
	}
	if index > 0 {
		if !k.lookUp(index) {
			return 0, ReasonCompression
		}
	} else if !k.text(name) {
		return 0, ReasonCompression
	} else {
		k.name = k.keep()
	}
	if !k.text(value) {
		return 0, ReasonCompression
	}
	if !k.off {
		k.take(k.name, k.keep())
	}
	return n, NoReason
}

// lookUp finds the name of an index of the tables. The dynamic one is the library's:
// it is asked by a literal without a value.
func (k *block) lookUp(index uint64) bool {
	if index <= uint64(len(static)) {
		k.name = static[index-1]
		return true
	}
	var q [12]byte
	p := append(appendNumber(q[:0], 0, 4, index), 0)
	k.asks = true
	k.dec.SetEmitEnabled(true)
	why := k.library(p)
	k.dec.SetEmitEnabled(!k.off)
	k.asks = false
	return why == NoReason
}

// text decodes a string into huff.
func (k *block) text(s encoded) bool {
	k.huff = k.huff[:0]
	if !s.huffman {
		k.huff = append(k.huff, s.b...)
		return true
	}
	_, err := hpack.HuffmanDecode(&k.huff, s.b)
	return err == nil
}

// keep returns what huff holds, for as long as the arena keeps it.
func (k *block) keep() string {
	if k.off {
		return ""
	}
	return k.arena.Append(len(k.huff), func(b []byte) []byte { return append(b, k.huff...) })
}

// take takes one field.
func (k *block) take(name, value string) {
	const overhead = 32 // of each, as RFC 9113 6.5.2 counts
	if k.room -= len(name) + len(value) + overhead; k.room < 0 {
		k.refuse(ReasonHeadTooLong)
		return
	}
	if name != "" && name[0] == ':' {
		k.refuse(k.hearPseudo(name, value))
		return
	}
	k.regular = true
	why := checkField(name, value)
	switch {
	case why != NoReason:
		k.refuse(why)
	case k.behind:
		k.takeTrailer(name, value)
	default:
		keep := false
		if k.answer {
			keep = k.hearOfAnswer(name, value)
		} else {
			keep = k.hear(name, value)
		}
		if k.count++; k.count > h1.MaxFields {
			k.refuse(ReasonTooManyFields)
		} else if keep {
			k.fields = append(k.fields, exchange.Field{Name: name, Value: value})
		}
	}
}

// takeTrailer takes a field behind a body.
func (k *block) takeTrailer(name, value string) {
	k.bytes += len(name) + len(value) + len(": \r\n")
	if k.count++; k.count > h1.MaxTrailers || k.bytes > h1.MaxTrailerBytes {
		k.refuse(ReasonTrailersLong)
		return
	}
	if why := connectionOnly(name, value); why != NoReason {
		k.refuse(why)
		return
	}
	if !h1.DropTrailer(name) {
		k.fields = append(k.fields, exchange.Field{Name: name, Value: value})
	}
}
