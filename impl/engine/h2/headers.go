package h2

import "encoding/binary"

// onHeaders takes the first frame of a header block.
func (c *Conn) onHeaders(h header, p []byte) Reason {
	if h.stream%2 == 0 {
		return ReasonStreamID
	}
	pad := 0
	if h.has(flagPadded) {
		if len(p) == 0 {
			return ReasonFrameSize
		}
		pad, p = int(p[0]), p[1:]
	}
	c.in = inBlock{stream: h.stream, end: h.has(flagEndStream), pieces: 1}
	if h.has(flagPriority) {
		if len(p) < 5 {
			return ReasonFrameSize
		}
		if binary.BigEndian.Uint32(p)&maxID == h.stream {
			c.in.bad = ReasonDependency
		}
		p = p[5:]
	}
	if pad > len(p) {
		return ReasonPadding
	}
	p = p[:len(p)-pad]
	if !h.has(flagEndHeaders) {
		c.in.started = append([]byte(nil), p...) // rare
		return NoReason
	}
	return c.headed(p)
}

// onContinuation takes a further one.
func (c *Conn) onContinuation(h header, p []byte) Reason {
	if c.in.pieces++; c.in.pieces > maxPieces || len(c.in.started)+len(p) > 2*c.side.o.MaxHead {
		return ReasonBlock
	}
	c.in.started = append(c.in.started, p...)
	if !h.has(flagEndHeaders) {
		return NoReason
	}
	return c.headed(c.in.started)
}

// headed takes a whole header block. Whatever becomes of it, it is decoded: the table
// of header compression must stay in step.
func (c *Conn) headed(p []byte) Reason {
	in := c.in
	c.in = inBlock{}
	s := c.find(in.stream)
	switch {
	case s != nil && s.whole:
		return either(c.discard(p), c.reset(s, ReasonClosed))
	case s != nil && c.client != nil && !s.heard:
		return c.answer(s, in, p)
	case s != nil:
		return c.trailers(s, in, p)
	case in.stream > c.last && c.going != gone && c.server != nil:
		c.last = in.stream
		return c.request(in, p)
	case c.passes(in.stream):
		if in.end {
			c.silent(in.stream)
		}
		return either(c.discard(p), c.budget.spend())
	case c.ended.has(in.stream):
		return ReasonClosed
	}
	return ReasonStreamID
}

// discard decodes a block that nobody wants.
func (c *Conn) discard(p []byte) Reason {
	k := &c.side.block
	k.skip()
	return k.decode(c.dec, p)
}

// request begins a stream.
func (c *Conn) request(in inBlock, p []byte) Reason {
	if len(c.ids) >= c.side.o.MaxStreams {
		why := either(c.discard(p), c.tooMany())
		c.control(appendReset(c.out.Room(), in.stream, RefusedStream))
		c.resets.add(in.stream, maxResets)
		c.server.Refuse(nil, ReasonStreams)
		return why
	}
	s := c.open(in.stream)
	s.whole = in.end
	x := c.server.Open(s)
	k := &c.side.block
	k.begin(x.Request.Fields[:0], &x.Arena, c.side.o.MaxHead)
	k.bad = in.bad
	if why := k.decode(c.dec, p); why != NoReason {
		return why
	}
	head, bad := k.head(&x.Request, in.end)
	if bad != NoReason {
		return c.refuse(s, bad)
	}
	s.told, s.left = true, k.length
	c.server.Request(s, head)
	return NoReason
}

// tooMany takes a stream too many out of a budget: that of resets only when the client
// knows how many are allowed.
func (c *Conn) tooMany() Reason {
	if c.knows {
		return c.budget.spendReset()
	}
	return c.budget.spend()
}

// refuse ends a stream whose head is refused, unless the owner has answered it.
func (c *Conn) refuse(s *Stream, bad Reason) Reason {
	id := s.id
	why := c.budget.spendReset()
	s.told = true // by this
	c.server.Refuse(s, bad)
	if s.c == c && s.id == id {
		c.control(appendReset(c.out.Room(), id, bad.Code()))
		c.resets.add(id, maxResets)
		c.remove(s)
	}
	return why
}

// trailers takes the head behind a body, which ends it.
func (c *Conn) trailers(s *Stream, in inBlock, p []byte) Reason {
	k, own, id := &c.side.block, c.side, s.id
	k.begin(own.trailer[:0], &own.arena, own.o.MaxHead)
	k.behind = true
	k.bad = in.bad
	why := k.decode(c.dec, p)
	own.trailer = k.fields
	switch {
	case why != NoReason:
	case k.bad != NoReason:
		why = c.reset(s, k.bad)
	case !in.end:
		why = c.reset(s, ReasonTrailers)
	case s.left > 0:
		why = c.reset(s, ReasonLengthDiffers)
	default:
		s.whole = true
		c.owner.Trailers(s, own.trailer)
		c.ends(s, id)
	}
	own.died()
	clear(own.trailer)
	return why
}
