package h2

import (
	"golang.org/x/net/http2/hpack"

	"github.com/unilb/unilb/impl/engine/h1"
	"github.com/unilb/unilb/impl/exchange"
)

// Options of a Server. Zero fields have defaults.
type Options struct {
	// MaxHead bounds the header list of a request as RFC 9113 6.5.2 counts it, 32
	// bytes for each field beside its text; 0: 64 KiB. A longer one is refused with
	// ReasonHeadTooLong, unless its header block is more than twice as long: that ends
	// the connection.
	MaxHead int
	// MaxStreams bounds the requests under way on a connection; 0: 128. Further ones
	// are refused in a way that lets the client repeat them.
	MaxStreams int
	// StreamWindow and ConnWindow bound the bytes of bodies that a stream and a
	// connection may have received beyond what Consumed was called for; 0: 256 KiB
	// and 1 MiB. ConnWindow is at least 64 KiB.
	StreamWindow, ConnWindow int
	// HighWater is how many bytes may wait in the Output before bodies and new
	// requests have to wait; 0: 256 KiB.
	HighWater int
	// Poison overwrites trailers when their callback has returned. For tests.
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

// Owner is told what the client wants. Each method may call the methods of streams
// and of the connection, except Feed. A Stream passed to it is valid until the owner
// has ended its answer or reset it, or Refuse or Reset has returned.
type Owner interface {
	// Open returns a reset exchange that the head of a new stream is read into. Its
	// Request or Refuse follows before Feed returns.
	Open(*Stream) *exchange.Exchange
	// Request is called when the head is complete. Of the request, Scheme, Remote,
	// Local and TLS are the owner's.
	Request(*Stream, Head)
	// Refuse is called when the head is refused. Where the reason has a Status the
	// owner may answer with it; if the stream has not ended when Refuse returns, it is
	// reset. The stream is nil, and Open was not called, when ReasonStreams.
	Refuse(*Stream, Reason)
	// Data is called for a part of the body, a view into what was fed; perhaps empty
	// when it is the last, end. Consumed says that it has gone further.
	Data(s *Stream, b []byte, end bool)
	// Trailers is called for the end of a body that has trailers. Those that would
	// say something about framing, routing, rights or the connection are left out, as
	// h1 does.
	Trailers(*Stream, exchange.Fields)
	// Reset is called when a stream whose Request was called has ended before its
	// answer: the client has reset it, it has broken a rule, or the connection ends.
	Reset(*Stream, Error)
	// Writable is called when there is room again after Stream.Room was 0 or
	// Stream.Data has not taken everything.
	Writable(*Stream)
}

// Head is what the head of a request says beside what the exchange holds.
type Head struct {
	// End: no body follows, nor trailers. (A body that is announced with 0 bytes may
	// still have its end to come.)
	End bool
	// Expect: the client waits for an interim answer with status 100 before it sends
	// the body.
	Expect bool
	// Trailer is what the field of that name says; see h1.TrailerNames. It lives as
	// long as the request.
	Trailer string
}

// Server is what the connections of one goroutine share.
type Server struct {
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

// New returns a server without connections.
func New(o Options) *Server {
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
	s := &Server{o: o}
	s.emit = s.block.emit
	return s
}
