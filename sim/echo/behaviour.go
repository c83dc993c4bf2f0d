package echo

import (
	"fmt"
	"strings"
	"time"
)

// A ResetPoint says where a connection is reset. The zero value is nowhere.
type ResetPoint string

// The points of a reset, both after the request was read.
const (
	ResetNever ResetPoint = ""
	ResetHead  ResetPoint = "head" // before any byte of the response
	ResetBody  ResetPoint = "body" // after the head and half of the body
)

// A ClosePoint says where a connection is ended in an orderly way (FIN) although
// the response is not complete. The zero value is nowhere.
type ClosePoint string

// The points of an early end, the same as those of a reset.
const (
	CloseNever ClosePoint = ""
	CloseHead  ClosePoint = "head"
	CloseBody  ClosePoint = "body"
)

// Limits of a Behaviour.
const (
	MaxDelay        = 10 * time.Minute // before an answer
	MaxReplyBytes   = 1 << 30          // body of an answer
	MaxDripEvery    = time.Minute      // between two pieces of an answer
	MaxGarbageBytes = 1 << 20          // instead of an answer
	MaxLengthOff    = 1 << 20          // bytes by which an announced length is wrong, either way
	MaxAdded        = 100              // header lines added to an answer
)

// A Behaviour is what a server does with a request. The zero value answers 200
// at once. Headers of a request override it field by field.
//
// Fields may be combined. Unread comes first, then Hang, and then Delay, before
// whatever else is done. ResetHead, CloseHead and Garbage, in this order, take
// the place of the response. Of Reset and Close at one point Reset wins.
type Behaviour struct {
	Delay   time.Duration // before the answer, or what is done instead of it
	Status  int           // 200 to 599; 0: 200
	Size    int           // bytes of body instead of JSON; 0: JSON
	Chunked bool          // frame the body in two chunks
	Add     []string      // header lines of the response, "Name: value"
	// DripBytes and DripEvery slow the response down: after the head the body is
	// written in pieces of so many bytes, so much time before each. Both are set or
	// neither.
	DripBytes int
	DripEvery time.Duration
	Reset     ResetPoint // end the connection with RST there
	Close     ClosePoint // end the connection with FIN there
	Garbage   int        // so many bytes that are not HTTP instead of a response, then FIN
	Hang      bool       // answer nothing and hold the connection until the peer gives it up
	// LengthOff makes the announced length of the body wrong. With more than is
	// sent, the connection ends (FIN) where the rest should be. With less, the
	// surplus follows, and the connection stays open: a peer that takes the surplus
	// for the beginning of the next response is out of step from then on. Of a
	// chunked body it is the second chunk whose size is wrong.
	LengthOff int
	// Unread leaves the body of the request where it is until the answer is over,
	// and when the response was complete, for good. After a complete one the
	// connection is held until the peer closes it. A body that fits into the
	// buffers of both sockets looks to the peer as if it had been read.
	Unread bool
}

// Check says what of a behaviour is beyond the limits.
func (b Behaviour) Check() error {
	switch {
	case b.Delay < 0 || b.Delay > MaxDelay:
		return fmt.Errorf("delay %s: want 0 to %s", b.Delay, MaxDelay)
	case b.Status != 0 && (b.Status < 200 || b.Status > 599):
		return fmt.Errorf("status %d: want 200 to 599", b.Status)
	case b.Size < 0 || b.Size > MaxReplyBytes:
		return fmt.Errorf("size %d: want 0 to %d bytes", b.Size, MaxReplyBytes)
	case b.DripBytes < 0 || b.DripEvery < 0 || b.DripEvery > MaxDripEvery || (b.DripBytes > 0) != (b.DripEvery > 0):
		return fmt.Errorf("drip of %d bytes every %s: want at least a byte, and more than 0 to %s", b.DripBytes, b.DripEvery, MaxDripEvery)
	case b.Reset != ResetNever && b.Reset != ResetHead && b.Reset != ResetBody:
		return fmt.Errorf("reset at %q: want head or body", b.Reset)
	case b.Close != CloseNever && b.Close != CloseHead && b.Close != CloseBody:
		return fmt.Errorf("close at %q: want head or body", b.Close)
	case b.Garbage < 0 || b.Garbage > MaxGarbageBytes:
		return fmt.Errorf("garbage of %d bytes: want 0 to %d", b.Garbage, MaxGarbageBytes)
	case b.LengthOff < -MaxLengthOff || b.LengthOff > MaxLengthOff:
		return fmt.Errorf("length off by %d: want at most %d either way", b.LengthOff, MaxLengthOff)
	case len(b.Add) > MaxAdded:
		return fmt.Errorf("%d header lines to add: want at most %d", len(b.Add), MaxAdded)
	}
	for _, line := range b.Add {
		if name, _, ok := strings.Cut(line, ":"); !ok || name == "" || strings.ContainsAny(line, "\r\n") {
			return fmt.Errorf("header line %q: want \"Name: value\"", line)
		}
	}
	return nil
}

// SetBehaviour changes what the server does with requests that arrive from now
// on; what it replaced is gone. Requests under way keep theirs. Values beyond the
// limits are the caller's to check.
func (s *Server) SetBehaviour(b Behaviour) { s.behave.Store(&b) }

// Behaviour is what the server does with requests that ask for nothing.
func (s *Server) Behaviour() Behaviour {
	if b := s.behave.Load(); b != nil {
		return *b
	}
	return Behaviour{}
}

// Health is what a server answers at its health path.
type Health int32

// The kinds of health. The zero value is the one a test expects of a new server.
const (
	Healthy Health = iota // 200
	Sick                  // 503
	Hanging               // no answer until the peer gives up
)

// SetHealth changes the answer to health probes that arrive from now on.
func (s *Server) SetHealth(h Health) { s.health.Store(int32(h)) }

// Health is the answer to health probes now.
func (s *Server) Health() Health { return Health(s.health.Load()) }
