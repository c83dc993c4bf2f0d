package h2

import "encoding/binary"

// Room is how many bytes of the body Data would take now. When it is 0,
// Writable will be called.
func (s *Stream) Room() int {
	c := s.c
	switch {
	case c == nil || c.dead:
		return 0
	case s.send <= 0:
		s.blocked = true
		return 0
	case c.send <= 0 || c.full():
		c.queue(s)
		return 0
	}
	return int(min(s.send, c.send, int64(c.side.o.HighWater-c.out.Waiting())))
}

// onWindowUpdate: the other side takes more.
func (c *Conn) onWindowUpdate(h header, p []byte) Reason {
	if len(p) != 4 {
		return ReasonFrameSize
	}
	by := int64(binary.BigEndian.Uint32(p) & maxWindow)
	if h.stream == 0 {
		switch c.send += by; {
		case by == 0:
			return ReasonIncrement
		case c.send > maxWindow:
			return ReasonWindow
		}
		c.wake()
		return NoReason
	}
	s := c.find(h.stream)
	if s == nil {
		return c.late(h)
	}
	switch s.send += by; {
	case by == 0:
		return c.reset(s, ReasonIncrement)
	case s.send > maxWindow:
		return c.reset(s, ReasonWindow)
	}
	c.unblock(s)
	c.wake()
	return NoReason
}

// resize changes the windows of all streams. They may become negative.
func (c *Conn) resize(by int64) Reason {
	if by == 0 {
		return NoReason
	}
	for _, s := range c.streams {
		if s.send += by; s.send > maxWindow {
			return ReasonWindow
		}
	}
	for _, s := range c.streams {
		c.unblock(s)
	}
	c.wake()
	return NoReason
}

// unblock lets a stream go on whose window has opened.
func (c *Conn) unblock(s *Stream) {
	if s.blocked && s.send > 0 {
		s.blocked = false
		c.queue(s)
	}
}

// wake tells streams that there is room, one after another, as long as there is.
func (c *Conn) wake() {
	for c.first != nil && c.send > 0 && !c.dead && !c.full() {
		s := c.first
		c.unqueue(s)
		c.owner.Writable(s)
	}
}

// queue puts a stream behind those that wait for room.
func (c *Conn) queue(s *Stream) {
	if s.queued {
		return
	}
	s.queued = true
	s.prev, s.next = c.final, nil
	if c.final != nil {
		c.final.next = s
	} else {
		c.first = s
	}
	c.final = s
}

func (c *Conn) unqueue(s *Stream) {
	if !s.queued {
		return
	}
	s.queued = false
	if s.prev != nil {
		s.prev.next = s.next
	} else {
		c.first = s.next
	}
	if s.next != nil {
		s.next.prev = s.prev
	} else {
		c.final = s.prev
	}
	s.prev, s.next = nil, nil
}
