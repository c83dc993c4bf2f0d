package h2

import (
	"encoding/binary"

	"golang.org/x/net/http2/hpack"
)

// Conn is one side of a connection.
type Conn struct {
	side   *side
	out    Output
	owner  Receiver
	server Owner // is the owner; nil: of a client
	client Asker // is the owner; nil: of a server
	dec    *hpack.Decoder
	enc    encoder
	peer   settings

	// What is being read.
	begun, settled bool // the preface has come; and SETTINGS
	knows          bool // the other side has acknowledged ours
	in             inBlock
	data           inData
	stuck          bool // the next frame waits until the output has room

	// Streams.
	ids     []uint32  // of the open ones
	streams []*Stream // at the same places
	last    uint32    // the highest that the client, perhaps we, has opened
	resets  ids       // that we have reset: frames on them are still on their way
	ended   ids       // some of the last that have ended in another way
	first   *Stream   // that wait for room, in the order in which they get it
	final   *Stream

	// Windows of the connection, in bytes.
	send int64 // what we may send
	recv int   // what the other side may send
	owed int   // what it may send once it is told

	budget   budget
	expected int // streams that a target takes, before it has said so
	givenUp  int // RST_STREAMs that we have sent
	unread   int // bytes of control frames that were queued while the output was full
	going    going
	left     bool // the other side has said that it will do no more
	dead     bool
	why      Error
}

// going is how far the connection has been left.
type going uint8

const (
	staying going = iota
	asked         // the client was told to open no more streams, and may not know yet
	gone          // it was told which stream is the last
)

// drainPing asks the client whether it has understood that it is to move on.
var drainPing = [8]byte{'d', 'r', 'a', 'i', 'n'}

// full tells that bodies and new requests have to wait.
func (c *Conn) full() bool { return c.out.Waiting() >= c.side.o.HighWater }

// Wants tells whether Feed would use anything: not while the next request waits for
// room in the output.
func (c *Conn) Wants() bool { return !c.stuck || c.dead || !c.full() }

// Idle tells whether the other side owes us nothing: no stream is open and no header
// block has begun. (What Feed did not take is not counted.)
func (c *Conn) Idle() bool { return len(c.ids) == 0 && c.in.stream == 0 }

// Streams is how many streams are open.
func (c *Conn) Streams() int { return len(c.ids) }

// Done tells whether the connection is over and may be closed once its output has been
// sent: it has failed, or one side has left and no stream is open.
func (c *Conn) Done() bool { return c.dead || (c.going == gone || c.left) && len(c.ids) == 0 }

// Drain asks the client to open no more streams, without refusing those that are on
// their way: when the client has answered, it is told which is the last. One that does
// not answer needs GoAway after a while.
func (c *Conn) Drain() {
	if c.going != staying || c.dead {
		return
	}
	c.going = asked
	c.out.Take(appendPing(appendGoAway(c.out.Room(), maxID, NoError, ""), 0, drainPing))
}

// GoAway tells the other side which stream of it is the last. Later ones are passed
// over in silence, and may be repeated elsewhere.
func (c *Conn) GoAway() {
	if c.going == gone || c.dead {
		return
	}
	c.going = gone
	c.control(appendGoAway(c.out.Room(), c.theirs(), NoError, ""))
}

// Sent says that the output has been sent, or has room again.
func (c *Conn) Sent() { c.wake() }

// Cut ends all streams because the connection has ended. Nothing more is written.
func (c *Conn) Cut() { c.end(Error{ReasonCut, ReasonCut.Code()}) }

// theirs is the highest stream that the other side has opened: a target opens none.
func (c *Conn) theirs() uint32 {
	if c.client != nil {
		return 0
	}
	return c.last
}

// fail ends the connection because the other side has broken a rule.
func (c *Conn) fail(why Reason) {
	if c.dead {
		return
	}
	c.out.Take(appendGoAway(c.out.Room(), c.theirs(), why.Code(), why.String()))
	c.end(Error{why, why.Code()})
}

func (c *Conn) end(why Error) {
	if c.dead {
		return
	}
	c.dead, c.why = true, why
	c.in, c.stuck = inBlock{}, false
	for len(c.streams) > 0 {
		c.drop(c.streams[len(c.streams)-1], why)
	}
}

// control queues what was appended to the output, which is no answer's.
func (c *Conn) control(b []byte) {
	if c.full() {
		c.unread += headerSize + 8 // more or less
	} else {
		c.unread = 0
	}
	c.out.Take(b)
}

// onSettings takes what the other side says of itself.
func (c *Conn) onSettings(h header, p []byte) Reason {
	switch {
	case h.stream != 0:
		return ReasonStreamID
	case h.has(flagAck) && len(p) > 0:
		return ReasonFrameSize
	case h.has(flagAck):
		c.knows = true
		return NoReason
	}
	before := c.peer.window
	if why := c.peer.read(p); why != NoReason {
		return why
	}
	if c.client != nil && c.peer.push { // which only a client may say
		return ReasonSettings
	}
	if c.peer.tableSize < defaultTableSize {
		c.enc.forget()
	}
	c.control(appendHeader(c.out.Room(), 0, kindSettings, flagAck, 0))
	return c.resize(c.peer.window - before)
}

// onPing answers.
func (c *Conn) onPing(h header, p []byte) Reason {
	switch {
	case len(p) != 8:
		return ReasonFrameSize
	case h.stream != 0:
		return ReasonStreamID
	case !h.has(flagAck):
		c.control(appendPing(c.out.Room(), flagAck, [8]byte(p)))
	case c.going == asked && [8]byte(p) == drainPing:
		c.GoAway()
	}
	return NoReason
}

// onGoAway: the other side ends the connection when its streams have ended. Streams of
// ours beyond the last that it names it has not looked at.
func (c *Conn) onGoAway(h header, p []byte) Reason {
	switch {
	case h.stream != 0:
		return ReasonStreamID
	case len(p) < 8:
		return ReasonFrameSize
	}
	c.left = true
	if c.client != nil {
		c.giveBack(binary.BigEndian.Uint32(p)&maxID, Code(binary.BigEndian.Uint32(p[4:])))
	}
	return NoReason
}

// onPriority looks whether the frame is one, and forgets it: RFC 9113 has no use for it.
func (c *Conn) onPriority(h header, p []byte) Reason {
	switch {
	case h.stream == 0:
		return ReasonStreamID
	case len(p) != 5:
		return ReasonFrameSize
	case binary.BigEndian.Uint32(p)&maxID == h.stream:
		return ReasonDependency
	}
	return NoReason
}
