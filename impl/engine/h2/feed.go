package h2

// inBlock is a header block that has begun.
type inBlock struct {
	stream  uint32 // 0: none
	end     bool   // of the stream
	bad     Reason // what is wrong with it already
	pieces  int
	started []byte // what has come of it when it is in several frames
}

// maxPieces is how many frames a header block may be in.
const maxPieces = 64

// maxUnread is how many bytes of control frames may be queued beyond a full output.
const maxUnread = 64 << 10

// Feed takes bytes of the other side and returns how many it has used; the rest must be
// fed again, with what follows it: it is the beginning of a frame, or a request that
// waits for room in the output (see Wants). Frames of bodies are used as they come, so
// that at most frameSize and a header's bytes are left.
//
// now is the owner's time in nanoseconds, of which only differences count: with it,
// peers get back what they have used up of their budgets. 0: they do not.
//
// After an error, an Error, the connection is over: its output ends with a GOAWAY and
// is to be sent before the connection is closed. Every stream has been told.
func (c *Conn) Feed(now int64, b []byte) (int, error) {
	c.budget.refill(now)
	c.stuck = false
	for n := 0; ; {
		if c.dead {
			return len(b), c.why
		}
		k, why := c.next(b[n:])
		if why == NoReason && c.unread > maxUnread {
			why = ReasonUnread
		}
		if why != NoReason {
			c.fail(why)
			continue
		}
		if k == 0 && !c.dead {
			return n, nil
		}
		n += k
	}
}

// next takes the next frame, or a part of one that carries data. It returns 0 when it
// needs more, or waits.
func (c *Conn) next(b []byte) (int, Reason) {
	switch {
	case !c.begun:
		return c.preface(b)
	case c.data.more():
		return c.moreData(b), NoReason
	case len(b) < headerSize:
		return 0, NoReason
	}
	h := readHeader(b)
	if why := c.expects(h); why != NoReason {
		return 0, why
	}
	if h.kind == kindData {
		return c.beginData(h, b[headerSize:])
	}
	n := headerSize + h.length
	switch {
	case h.kind == kindHeaders && h.stream > c.last && c.server != nil && c.full():
		c.stuck = true
		return 0, NoReason
	case len(b) < n:
		return 0, NoReason
	}
	return n, c.frame(h, b[headerSize:n])
}

func (c *Conn) preface(b []byte) (int, Reason) {
	may, whole := HasPreface(b)
	switch {
	case !may:
		return 0, ReasonPreface
	case !whole:
		return 0, NoReason
	}
	c.begun = true
	return len(Preface), NoReason
}

// expects tells what is wrong with the order of frames, or the length of this one.
func (c *Conn) expects(h header) Reason {
	block := c.in.stream != 0
	switch {
	case !c.settled && (h.kind != kindSettings || h.has(flagAck)):
		return ReasonPreface
	case h.length > frameSize:
		return ReasonFrameSize
	case block != (h.kind == kindContinuation), block && h.stream != c.in.stream:
		return ReasonSequence
	}
	return NoReason
}

// frame takes a whole frame that is not DATA.
func (c *Conn) frame(h header, p []byte) Reason {
	switch h.kind {
	case kindHeaders:
		return c.onHeaders(h, p)
	case kindContinuation:
		return c.onContinuation(h, p)
	case kindWindowUpdate:
		return either(c.onWindowUpdate(h, p), c.budget.spend())
	case kindReset:
		return c.onReset(h, p)
	case kindSettings:
		c.settled = true
		return either(c.onSettings(h, p), c.budget.spend())
	case kindPing:
		return either(c.onPing(h, p), c.budget.spend())
	case kindGoAway:
		return either(c.onGoAway(h, p), c.budget.spend())
	case kindPriority:
		return either(c.onPriority(h, p), c.budget.spend())
	case kindPush:
		return ReasonPush
	}
	return c.budget.spend() // of a kind that nobody knows, which is passed over
}

func either(a, b Reason) Reason {
	if a != NoReason {
		return a
	}
	return b
}
