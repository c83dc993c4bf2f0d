package h2

// inData is what is left of a DATA frame.
type inData struct {
	s    *Stream // nil: nobody wants it
	left int     // of the body
	pad  int     // behind it
	end  bool    // of the stream
}

func (d *inData) more() bool { return d.left > 0 || d.pad > 0 }

// beginData takes the header of a DATA frame, and the length of its padding from b,
// which is behind it.
func (c *Conn) beginData(h header, b []byte) (int, Reason) {
	n, pad := headerSize, 0
	size := h.length
	if h.has(flagPadded) {
		switch {
		case size == 0:
			return 0, ReasonFrameSize
		case len(b) == 0:
			return 0, NoReason
		}
		n, pad = n+1, int(b[0])
		if size--; pad > size {
			return 0, ReasonPadding
		}
	}
	body := size - pad
	switch {
	case h.stream == 0:
		return 0, ReasonStreamID
	case h.length > c.recv:
		return 0, ReasonWindow
	}
	c.recv -= h.length
	s := c.find(h.stream)
	why, spent := NoReason, body == 0 && !h.has(flagEndStream)
	if s == nil {
		if !c.passes(h.stream) {
			return 0, c.closed(h.stream)
		}
		spent = true
		c.budget.moved(body) // what is on its way when it is given up is no flood
		if h.has(flagEndStream) {
			c.silent(h.stream)
		}
	} else if bad := s.bad(h, body); bad != NoReason {
		why, s = c.reset(s, bad), nil
	}
	c.data = inData{s, body, pad, h.has(flagEndStream)}
	if s == nil {
		c.credit(h.length)
	} else {
		s.recv -= h.length
		s.used += h.length
		s.left = max(-1, s.left-int64(body))
		s.Consumed(h.length - body)
		c.budget.moved(body)
		if body == 0 && h.has(flagEndStream) {
			c.pass(nil)
		}
	}
	if spent {
		why = either(why, c.budget.spend())
	}
	return n, why
}

// bad tells what is wrong with a DATA frame of this stream.
func (s *Stream) bad(h header, body int) Reason {
	switch {
	case s.whole:
		return ReasonClosed
	case s.c.client != nil && !s.heard:
		return ReasonHeadMissing
	case h.length > s.recv:
		return ReasonWindow
	case s.left >= 0 && (int64(body) > s.left || h.has(flagEndStream) && int64(body) < s.left):
		return ReasonLengthDiffers
	}
	return NoReason
}

// moreData takes what is there of a frame.
func (c *Conn) moreData(b []byte) int {
	d := &c.data
	if d.left > 0 {
		n := min(d.left, len(b))
		if n > 0 {
			d.left -= n
			c.pass(b[:n])
		}
		return n
	}
	n := min(d.pad, len(b))
	d.pad -= n
	return n
}

// pass gives a part of a body to the owner.
func (c *Conn) pass(b []byte) {
	s := c.data.s
	if s == nil {
		return
	}
	last := c.data.end && c.data.left == 0
	if last {
		s.whole = true
	}
	id := s.id
	c.owner.Data(s, b, last)
	c.ends(s, id)
}

// Consumed says that n bytes of the body have gone further: the other side may send as
// many again.
func (s *Stream) Consumed(n int) {
	c := s.c
	if c == nil {
		return
	}
	n = min(n, s.used)
	s.used -= n
	c.credit(n)
	if s.owed += n; s.whole || s.owed < c.side.o.StreamWindow/2 || c.dead {
		return
	}
	s.recv += s.owed
	c.control(appendWindowUpdate(c.out.Room(), s.id, s.owed))
	s.owed = 0
}

// credit gives the window of the connection back.
func (c *Conn) credit(n int) {
	if c.owed += n; c.owed < c.side.o.ConnWindow/2 || c.dead {
		return
	}
	c.recv += c.owed
	c.control(appendWindowUpdate(c.out.Room(), 0, c.owed))
	c.owed = 0
}
