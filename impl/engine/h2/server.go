package h2

import "github.com/unilb/unilb/impl/exchange"

// Owner is told what a client wants. A Stream passed to it is valid until the owner
// has ended its answer or reset it, or Refuse or Reset has returned.
type Owner interface {
	Receiver
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

// Server is what the connections of clients of one goroutine share.
type Server struct{ side }

// New returns a server without connections.
func New(o Options) *Server {
	s := &Server{}
	s.init(o)
	return s
}

// Conn begins a connection: our SETTINGS are in the output when it returns.
func (s *Server) Conn(out Output, owner Owner) *Conn {
	c := s.conn(out, owner, s.o.MaxStreams)
	c.server = owner
	out.Take(c.introduce(out.Room(), setting{settingStreams, uint32(s.o.MaxStreams)}))
	return c
}
