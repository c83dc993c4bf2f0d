package h2

import (
	"golang.org/x/net/http2/hpack"

	"github.com/unilb/unilb/impl/engine/h1"
	"github.com/unilb/unilb/impl/exchange"
)

// Options of a Server or a Client. Zero fields have defaults.
type Options struct {
	// MaxHead bounds the header list of a head as RFC 9113 6.5.2 counts it, 32 bytes
	// for each field beside its text; 0: 64 KiB. A longer one is refused with
	// ReasonHeadTooLong, unless its header block is more than twice as long: that ends
	// the connection.
	MaxHead int
	// MaxStreams bounds the requests under way on a connection; 0: 128. Further ones of
	// a client are refused in a way that lets it repeat them; ours are not begun.
	MaxStreams int
	// StreamWindow and ConnWindow bound the bytes of bodies that a stream and a
	// connection may have received beyond what Consumed was called for; 0: 256 KiB,
	// and 1 MiB of a server. A client's is then MaxStreams times StreamWindow, so that
	// streams whose bodies nobody takes cannot stop the others. ConnWindow is at least
	// 64 KiB.
	StreamWindow, ConnWindow int
	// HighWater is how many bytes may wait in the Output before bodies and new
	// requests of a client have to wait; 0: 256 KiB.
	HighWater int
	// Poison overwrites trailers and heads of answers when their callback has
	// returned. For tests.
	Poison bool
}

// Output is where frames go. It is asked for its buffer and given it back, with
// frames at the end, before anything else happens. It does not call the connection.
type Output interface {
	// Room returns a buffer to append to: the one that holds what is to be sent, or
	// an empty one that Take sends or copies.
	Room() []byte
	// Take puts it back.
	Take([]byte)
	// Waiting is how many bytes are to be sent.
	Waiting() int
}

// Receiver is told what the other side sends on streams whose head is known. Each
// method of it, and of the owners that it is a part of, may call the methods of streams
// and of the connection, except Feed.
type Receiver interface {
	// Data is called for a part of the body, a view into what was fed; perhaps empty
	// when it is the last, end. Consumed says that it has gone further.
	Data(s *Stream, b []byte, end bool)
	// Trailers is called for the end of a body that has trailers. Those that would
	// say something about framing, routing, rights or the connection are left out, as
	// h1 does.
	Trailers(*Stream, exchange.Fields)
	// Reset is called when a stream has ended before its time: the other side has reset
	// it, or broken a rule, or the connection ends. To a server it is called for those
	// whose Request was called.
	Reset(*Stream, Error)
	// Writable is called when there is room again after Stream.Room was 0 or
	// Stream.Data has not taken everything.
	Writable(*Stream)
}

// A side is what the connections of one goroutine share that are on the same side.
type side struct {
	o       Options
	block   block // that is being decoded
	arena   exchange.Arena
	trailer exchange.Fields // of the trailers that are being told of
	free    []*Stream
	emit    func(hpack.HeaderField)
}

const (
	streamsKept = 1024 // for streams to come
	minTotal    = 64 << 10
)

// init gives options their defaults, ConnWindow that of a server.
func (s *side) init(o Options) {
	def := func(v *int, to int) {
		if *v <= 0 {
			*v = to
		}
	}
	def(&o.MaxHead, h1.MaxHead)
	def(&o.MaxStreams, 128)
	def(&o.StreamWindow, 256<<10)
	def(&o.ConnWindow, 1<<20)
	def(&o.HighWater, 256<<10)
	o.ConnWindow = min(max(o.ConnWindow, minTotal), maxWindow)
	o.StreamWindow = min(o.StreamWindow, maxWindow)
	s.o = o
	s.emit = s.block.emit
}

// conn makes a connection of this side. Streams it has room for are those that the
// other side may open.
func (s *side) conn(out Output, owner Receiver, streams int) *Conn {
	return &Conn{
		side: s, out: out, owner: owner, peer: defaultSettings, dec: hpack.NewDecoder(ourTableSize, s.emit),
		send: baseWindow, recv: s.o.ConnWindow, budget: newBudget(streams),
	}
}

// introduce writes the first frames, with a setting that only this side has.
func (c *Conn) introduce(b []byte, own setting) []byte {
	o := &c.side.o
	b = appendSettings(b, own, setting{settingWindow, uint32(o.StreamWindow)}, setting{settingHeaderList, uint32(o.MaxHead)})
	if more := o.ConnWindow - baseWindow; more > 0 {
		b = appendWindowUpdate(b, 0, more)
	}
	return b
}

// died overwrites what a callback was told of in the arena.
func (s *side) died() {
	if s.o.Poison {
		s.arena.Poison(0xDB)
	}
	s.arena.Reset()
}
