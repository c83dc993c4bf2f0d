package std

import (
	"bytes"
	"context"
	"strconv"
	"sync/atomic"
)

// guard follows the framing of what a client sends, to see what the library hides
// from its handler: that a head had both a length and a transfer coding, or a
// transfer coding in HTTP/1.0. The library reads such a request in one of two ways,
// removes the trace of the other and keeps the connection; whoever stands before us
// may have read it in the other way (RFC 9112, 6.1 and 11.2).
//
// It is fed by the reads of one connection, which the library makes one at a time;
// doubtful may be called meanwhile. It refuses nothing itself: what it cannot follow
// the library refuses.
type guard struct {
	doubt  atomic.Int64 // the first doubtful request of the connection, from 1; 0: none
	served int64        // requests handed to us; only serve touches it

	part part
	left uint64 // bytes of a body, or of a chunk with its end
	line []byte // under way: all of it, or its beginning and its end
	head head
	seen int64 // heads
}

// part is where in a message the guard is.
type part int

const (
	inHead part = iota
	inBody
	inSize
	inChunk
	inTrailers
	lost // not followed any more
)

// head is what matters of a head.
type head struct {
	begun, old     bool // the request line was there; it says HTTP/1.0
	coding, length bool
	value          []byte // of the length
	last           *bool  // the field that a folded line goes on with; nil: another
}

// keptHalf bounds what is kept of a line, twice: the name of a field stands at its
// beginning, the version of a request at its end.
const keptHalf = 64

func guardOf(ctx context.Context) *guard {
	if c := connOf(ctx); c != nil {
		return &c.guard
	}
	return nil
}

// doubtful tells, for the next request that is handed to us, whether it may be read
// in two ways. A connection without a guard has none.
func (g *guard) doubtful() bool {
	if g == nil {
		return false
	}
	g.served++
	d := g.doubt.Load()
	return d != 0 && g.served >= d
}

// rest ends the following: what comes is HTTP no more.
func (g *guard) rest() {
	if g != nil {
		g.part = lost
	}
}

// see takes the next bytes of the connection.
func (g *guard) see(b []byte) {
	for len(b) > 0 && g.part != lost {
		if g.part == inBody || g.part == inChunk {
			n := min(g.left, uint64(len(b)))
			b, g.left = b[n:], g.left-n
			if g.left == 0 {
				g.part = map[part]part{inBody: inHead, inChunk: inSize}[g.part]
			}
			continue
		}
		end := bytes.IndexByte(b, '\n')
		if end < 0 {
			g.keep(b)
			return
		}
		g.keep(b[:end])
		b = b[end+1:]
		g.ended(bytes.TrimSuffix(g.line, []byte("\r")))
		g.line = g.line[:0]
	}
}

func (g *guard) keep(b []byte) {
	if len(b) > 2*keptHalf {
		g.line = append(append(g.line, b[:keptHalf]...), b[len(b)-keptHalf:]...)
	} else {
		g.line = append(g.line, b...)
	}
	if n := len(g.line); n > 2*keptHalf {
		g.line = append(g.line[:keptHalf], g.line[n-keptHalf:]...)
	}
}

// ended takes a whole line.
func (g *guard) ended(line []byte) {
	switch g.part {
	case inHead:
		g.headLine(line)
	case inTrailers:
		if len(line) == 0 {
			g.part = inHead
		}
	default:
		size, _, _ := bytes.Cut(line, []byte(";"))
		n, err := strconv.ParseUint(string(bytes.TrimRight(size, " \t")), 16, 63)
		switch {
		case err != nil:
			g.lose()
		case n == 0:
			g.part = inTrailers
		default:
			g.part, g.left = inChunk, n+2
		}
	}
}

func (g *guard) headLine(line []byte) {
	h := &g.head
	switch {
	case !h.begun:
		h.begun, h.old = len(line) > 0, bytes.HasSuffix(line, []byte(" HTTP/1.0"))
	case len(line) == 0:
		g.headEnds()
	case line[0] == ' ' || line[0] == '\t':
		if h.last == &h.length {
			h.value = append(h.value, line...)
		}
	default:
		name, value, _ := bytes.Cut(line, []byte(":"))
		h.last = nil
		switch {
		case bytes.EqualFold(name, []byte("Transfer-Encoding")):
			h.last, h.coding = &h.coding, true
		case bytes.EqualFold(name, []byte("Content-Length")):
			h.last, h.length = &h.length, true
			h.value = append(h.value[:0], value...)
		}
	}
}

// headEnds says what follows a head, as the library reads it.
func (g *guard) headEnds() {
	h := g.head
	g.seen++
	g.head = head{value: h.value[:0]}
	if h.coding && (h.length || h.old) {
		g.doubt.CompareAndSwap(0, g.seen)
	}
	switch {
	case h.coding && !h.old:
		g.part = inSize
	case h.length:
		n, err := strconv.ParseUint(string(bytes.TrimSpace(h.value)), 10, 63)
		if err != nil {
			g.lose()
			return
		}
		if g.left = n; n > 0 {
			g.part = inBody
		}
	}
}

// lose gives up. The library refuses what comes here; should it not, nothing after
// this request is served.
func (g *guard) lose() {
	g.doubt.CompareAndSwap(0, g.seen+1)
	g.part = lost
}
