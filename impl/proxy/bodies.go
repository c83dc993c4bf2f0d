package proxy

import (
	"fmt"
	"sync/atomic"

	"github.com/unilb/unilb/impl/exchange"
)

// Bodies bounds what is read of bodies for conditions that ask for what is in them.
type Bodies struct {
	// Max is how many bytes a body may have that a condition asks for; a longer one is
	// answered with 413, since nobody knows what is in it. 0: DefaultMaxBody.
	Max int
	// Total is how many bytes of them all requests together may hold, from when a body is
	// asked for until the request has ended; one more is answered with 503. 0: DefaultBodies.
	Total int64
}

// The defaults of Bodies.
const (
	DefaultMaxBody = 1 << 20
	DefaultBodies  = 64 << 20
)

// bodies are those that are held.
type bodies struct {
	held    atomic.Int64  // bytes
	refused atomic.Uint64 // requests for which there was no room
}

// Bodies tells how many bytes of bodies are held for conditions, and how many requests were
// refused because that were too many.
func (p *Pipeline) Bodies() (held int64, refused uint64) {
	return p.bodies.held.Load(), p.bodies.refused.Load()
}

// collect waits for the body, after which the route is looked for anew: path is what by.
func (p *Pipeline) collect(x *exchange.Exchange, f *flow, path string) exchange.Verdict {
	limit, length := int64(p.o.Bodies.Max), x.Request.BodyLength
	if length > limit {
		return p.tooLong(x, f)
	}
	if length < 0 {
		length = limit
	}
	if held := p.bodies.held.Add(length); held > p.o.Bodies.Total {
		p.bodies.held.Add(-length)
		p.bodies.refused.Add(1)
		f.failure = fmt.Sprintf("too many bodies are held for conditions: %d bytes, and %d more are above %d", held-length, length, p.o.Bodies.Total)
		return errorPage(x, 503)
	}
	f.held = length
	f.path = x.Arena.Copy(path)
	x.Request.Body.Asked = false
	return x.Collect(p.o.Bodies.Max)
}

// collected goes on with the body.
func (p *Pipeline) collected(x *exchange.Exchange, f *flow) exchange.Verdict {
	if x.Request.Body.State == exchange.BodyTooLong {
		return p.tooLong(x, f)
	}
	whole := int64(len(x.Request.Body.Bytes))
	p.bodies.held.Add(whole - f.held)
	f.held, f.since = whole, x.Now
	return p.routed(x, f, f.path)
}

func (p *Pipeline) tooLong(x *exchange.Exchange, f *flow) exchange.Verdict {
	f.failure = fmt.Sprintf("a condition of a route needs the body, which has more than %d bytes", p.o.Bodies.Max)
	return errorPage(x, 413)
}

// release gives back what the request has held.
func (p *Pipeline) release(f *flow) {
	if f.held != 0 {
		p.bodies.held.Add(-f.held)
		f.held = 0
	}
}
