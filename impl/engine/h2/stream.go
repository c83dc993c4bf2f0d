package h2

import (
	"slices"

	"github.com/unilb/unilb/impl/exchange"
)

// Stream is a request and its answer. Its methods do nothing when it has ended.
type Stream struct {
	// State is the owner's.
	State any

	c  *Conn
	id uint32

	// What comes: the request, or of a target the answer.
	told  bool  // the owner knows of it
	heard bool  // of a target: the head has come
	whole bool  // all of it has come
	left  int64 // of its body, as Content-Length says; -1: not known
	recv  int   // window for what the other side may send
	used  int   // bytes received that Consumed was not called for
	owed  int   // by which the window grows once the other side is told

	// What goes: the answer, or to a target the request.
	send       int64 // window for what we may send
	blocked    bool  // the owner waits for that window
	queued     bool  // or for that of the connection, or the output, in c's list
	headed     bool  // its head is written
	sent       bool  // to a target: all of it is written
	prev, next *Stream

	x *exchange.Exchange // of a request to a target
}

// maxResets and maxEnded bound what a connection remembers of streams that have ended.
const (
	maxResets = 1024
	maxEnded  = 8
)

// ids is a bounded memory of streams.
type ids struct {
	list []uint32
	next int // the oldest, once it is full
}

func (r *ids) add(id uint32, most int) {
	if len(r.list) < most {
		r.list = append(r.list, id)
		return
	}
	r.list[r.next] = id
	r.next = (r.next + 1) % most
}

func (r *ids) has(id uint32) bool { return slices.Contains(r.list, id) }

// remove forgets a stream.
func (r *ids) remove(id uint32) {
	if i := slices.Index(r.list, id); i >= 0 {
		r.list[i] = 0
	}
}

// Conn is the stream's connection; nil: it has ended.
func (s *Stream) Conn() *Conn { return s.c }

// ID numbers the stream on its connection.
func (s *Stream) ID() uint32 { return s.id }

// Whole tells whether all of the request, or of a target's answer, has come.
func (s *Stream) Whole() bool { return s.whole }

// find returns an open stream; nil: it is none.
func (c *Conn) find(id uint32) *Stream {
	for i, v := range c.ids {
		if v == id {
			return c.streams[i]
		}
	}
	return nil
}

// passes tells the streams that are not open and on which frames are passed over: we
// have reset them, or will never open them, and the client did not know.
func (c *Conn) passes(id uint32) bool {
	// Of targets, whatever was ours and is not open: clients may give up more streams
	// within a round trip than are remembered.
	if c.client != nil && id%2 == 1 && id <= c.last && !c.ended.has(id) {
		return true
	}
	return id%2 == 1 && id > c.last && c.going == gone || c.resets.has(id)
}

// closed tells what is wrong with a frame on a stream that is not open, where frames
// are not passed over.
func (c *Conn) closed(id uint32) Reason {
	if c.ended.has(id) {
		return ReasonClosed
	}
	return ReasonStreamID
}

func (c *Conn) open(id uint32) *Stream {
	own := c.side
	s := (*Stream)(nil)
	if n := len(own.free); n > 0 {
		s = own.free[n-1]
		own.free = own.free[:n-1]
	} else {
		s = new(Stream)
	}
	*s = Stream{c: c, id: id, left: -1, recv: own.o.StreamWindow, send: c.peer.window}
	if !c.knows {
		s.recv = max(s.recv, baseWindow) // which it may use until it has seen ours
	}
	c.ids = append(c.ids, id)
	c.streams = append(c.streams, s)
	return s
}

// remove ends the life of a stream.
func (c *Conn) remove(s *Stream) {
	i := slices.Index(c.ids, s.id)
	n := len(c.ids) - 1
	c.ids[i], c.streams[i] = c.ids[n], c.streams[n]
	c.streams[n] = nil
	c.ids, c.streams = c.ids[:n], c.streams[:n]
	c.unqueue(s)
	if c.data.s == s {
		c.data.s = nil // what is still to come of this frame is dropped
	}
	c.credit(s.used)
	*s = Stream{}
	if own := c.side; len(own.free) < streamsKept {
		own.free = append(own.free, s)
	}
}

// drop ends a stream that the owner did not end, and tells it.
func (c *Conn) drop(s *Stream, why Error) {
	if s.told {
		c.owner.Reset(s, why)
	} else {
		s.told = true
		c.server.Refuse(s, why.Reason)
	}
	if s.c == c {
		c.remove(s)
	}
}

// reset ends a stream because the other side has broken a rule.
func (c *Conn) reset(s *Stream, bad Reason) Reason {
	c.giveUp(s, bad.Code())
	c.drop(s, Error{bad, bad.Code()})
	return c.budget.spendReset()
}

// Reset ends the stream before its time, if it has not ended on both sides. The owner
// is not told.
func (s *Stream) Reset(code Code) {
	c := s.c
	switch {
	case c == nil:
		return
	case s.whole && s.sent: // it ends when the owner, who is being told, returns
		c.ended.add(s.id, maxEnded)
		if c.client != nil {
			c.budget.answered()
		}
	case !c.dead:
		c.giveUp(s, code)
	}
	c.remove(s)
}

// giveUp tells the other side that we want no more of a stream.
func (c *Conn) giveUp(s *Stream, code Code) {
	c.givenUp++
	c.control(appendReset(c.out.Room(), s.id, code))
	c.resets.add(s.id, maxResets)
}

// wrote is called when all of what we send on a stream is written. A client's ends with
// it: what the client still has to send of the request nobody waits for (RFC 9113,
// 8.1).
func (s *Stream) wrote() {
	c := s.c
	if c.client != nil {
		s.sent = true
		c.ends(s, s.id)
		return
	}
	c.budget.answered()
	if s.whole {
		c.ended.add(s.id, maxEnded)
	} else {
		c.giveUp(s, NoError)
	}
	c.remove(s)
}

// onReset: the other side gives a stream up.
func (c *Conn) onReset(h header, p []byte) Reason {
	switch {
	case len(p) != 4:
		return ReasonFrameSize
	case h.stream == 0:
		return ReasonStreamID
	}
	s := c.find(h.stream)
	if s == nil {
		c.silent(h.stream)
		return c.late(h)
	}
	c.ended.add(s.id, maxEnded)
	c.drop(s, Error{ReasonPeer, Code(uint32(p[0])<<24 | uint32(p[1])<<16 | uint32(p[2])<<8 | uint32(p[3]))})
	return c.budget.spendReset()
}

// silent notes that the other side, too, has ended a stream that we have reset: no more
// frames of it are on their way.
func (c *Conn) silent(id uint32) {
	if c.resets.has(id) {
		c.resets.remove(id)
		c.ended.add(id, maxEnded)
	}
}

// late takes a frame that may still come for a stream that has ended (RFC 9113, 5.1).
func (c *Conn) late(h header) Reason {
	if !c.passes(h.stream) && (h.stream%2 == 0 || h.stream > c.last) {
		return ReasonStreamID
	}
	return c.budget.spend()
}
