package h2

import (
	"math"

	"github.com/unilb/unilb/impl/exchange"
)

// Asker is told what a target answers. A Stream of Conn.Request is valid until the
// answer's end was told of and all of the request was written, or the asker has reset
// it, or Reset has returned. Reset is also called when the target wants no more of a
// request whose answer has come to its end.
type Asker interface {
	Receiver
	// Interim is called for an interim answer (1xx), and Answer for the head of the
	// answer, which the exchange's Response holds. Its strings die when the method
	// returns.
	Interim(*Stream)
	Answer(*Stream, AnswerHead)
}

// AnswerHead is what the head of an answer says beside the exchange's Response.
type AnswerHead struct {
	// End: no body follows, nor trailers.
	End bool
	// Length is what Content-Length says, also where no body follows; -1: there is none.
	Length int64
	// Trailer is what the field of that name says; see h1.TrailerNames.
	Trailer string
}

// Client is what the connections to targets of one goroutine share.
type Client struct{ side }

// NewClient returns a client without connections.
func NewClient(o Options) *Client {
	s := &Client{}
	own := o.ConnWindow
	s.init(o)
	if own <= 0 {
		s.o.ConnWindow = max(minTotal, int(min(int64(s.o.MaxStreams)*int64(s.o.StreamWindow), maxWindow)))
	}
	return s
}

// Conn begins a connection: preface and SETTINGS are in the output when it returns.
func (s *Client) Conn(out Output, owner Asker) *Conn {
	c := s.conn(out, owner, 0)
	c.client, c.begun, c.expected = owner, true, streamsAtFirst
	out.Take(c.introduce(append(out.Room(), Preface...), setting{settingPush, 0}))
	return c
}

// streamsAtFirst is how many streams are opened at most before the target has said how
// many it takes: what RFC 9113, 6.5.2, says that no target should be below.
const streamsAtFirst = 100

// Slots is how many streams may be opened now.
func (c *Conn) Slots() int {
	if c.Spent() {
		return 0
	}
	return max(0, c.Limit()-len(c.ids))
}

// Limit is how many streams may be open at a time: what the target and MaxStreams allow.
func (c *Conn) Limit() int {
	most := c.expected
	if c.settled {
		most = int(min(c.peer.streams, math.MaxInt32))
	}
	return min(most, c.side.o.MaxStreams)
}

// Expect sets the Limit that counts until the target has said its own, from what it said
// on another connection; at least 1.
func (c *Conn) Expect(streams int) { c.expected = max(1, min(streams, streamsAtFirst)) }

// Spent tells that no stream can be opened any more: one side has left, or ids are used
// up. Those that are open go on.
func (c *Conn) Spent() bool {
	return c.client == nil || c.dead || c.left || c.going != staying || c.last >= maxID-1
}

// GivenUp is how many streams we have ended before their time (RST_STREAM), since the
// connection began. Targets end connections on which that happens too often.
func (c *Conn) GivenUp() int { return c.givenUp }

// Ask is what a request says beside what its exchange holds.
type Ask struct {
	// Scheme is http or https.
	Scheme string
	// Length of the body in bytes, or NoLength.
	Length int64
	// End: no body follows, nor trailers.
	End bool
	// Trailer announces the names of trailers.
	Trailer exchange.Fields
}

// Request opens a stream and writes the head of a request: method and target, Host of
// the plan, and the fields with the edits applied as exchange.Apply does, without those
// that belong to connections of HTTP/1.1 and those that frame. Of TE only trailers
// remains. Names become lower case; bytes that no value may have become blanks, or
// escapes in the target. The body goes by Data and End. The answer's head is read into
// the exchange's Response.
//
// It returns nil when there is no slot.
func (c *Conn) Request(x *exchange.Exchange, a Ask) *Stream {
	if c.Slots() == 0 {
		return nil
	}
	if c.last == 0 {
		c.last = 1
	} else {
		c.last += 2
	}
	s := c.open(c.last)
	s.x, s.told, s.headed, s.sent = x, true, true, a.End
	b, at := s.beginBlock()
	b = c.enc.request(b, x, a)
	c.out.Take(endBlock(b, at, s.id, endFlag(a.End)))
	return s
}

// answer takes a head of a target, an interim one or the answer's.
func (c *Conn) answer(s *Stream, in inBlock, p []byte) Reason {
	k, r, id := &c.side.block, &s.x.Response, s.id
	k.begin(r.Fields[:0], &c.side.arena, c.side.o.MaxHead)
	k.answer, k.bad = true, in.bad
	defer c.side.died()
	why := k.decode(c.dec, p)
	r.Fields = k.fields
	if why != NoReason {
		return why
	}
	head, bad := k.answerHead(r, s.x.Request.Method, in.end)
	switch {
	case bad != NoReason:
		return c.reset(s, bad)
	case r.Status < 200:
		c.client.Interim(s)
		return c.budget.spend()
	}
	s.heard, s.whole, s.left = true, in.end, k.length
	if !follows(r.Status, s.x.Request.Method) {
		s.left = 0
	}
	c.client.Answer(s, head)
	c.ends(s, id)
	return NoReason
}

// ends removes a stream of ours when both sides of it have ended. It may have ended, and
// be another, since it was told of.
func (c *Conn) ends(s *Stream, id uint32) {
	if c.client == nil || s.c != c || s.id != id || !s.whole || !s.sent {
		return
	}
	c.budget.answered()
	c.ended.add(id, maxEnded)
	c.remove(s)
}

// giveBack gives back the streams above last, which the target will not answer (RFC 9113,
// 6.8).
func (c *Conn) giveBack(last uint32, code Code) {
	for i := 0; i < len(c.ids); {
		if c.ids[i] <= last {
			i++
			continue
		}
		c.resets.add(c.ids[i], maxResets)
		c.drop(c.streams[i], Error{ReasonLeft, code})
		i = 0 // whatever it has become since
	}
}
