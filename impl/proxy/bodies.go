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
	// Total is how many bytes of them all requests together may hold, each from when it
	// has come until its request has ended; a request whose next byte is one more is
	// answered with 503, however long its head says that its body is. 0: DefaultBodies.
	Total int64
}

// The defaults of Bodies.
const (
	DefaultMaxBody = 1 << 20
	DefaultBodies  = 64 << 20
)

// bodies are those that are held.
type bodies struct {
	max     int // bytes of one
	held    *exchange.Budget
	refused atomic.Uint64 // requests for which there was no room
}

func (b *bodies) bound(o Bodies) {
	if b.max = o.Max; b.max == 0 {
		b.max = DefaultMaxBody
	}
	if o.Total == 0 {
		o.Total = DefaultBodies
	}
	b.held = exchange.NewBudget(o.Total)
}

// Bodies tells how many bytes of bodies are held for conditions, and how many requests were
// refused because that were too many.
func (p *Pipeline) Bodies() (held int64, refused uint64) {
	return p.bodies.held.Held(), p.bodies.refused.Load()
}

// collect waits for the body, after which the route is looked for anew: path is what by.
func (p *Pipeline) collect(x *exchange.Exchange, f *flow, path string) exchange.Verdict {
	if x.Request.BodyLength > int64(p.bodies.max) {
		return p.tooLong(x, f)
	}
	f.path = x.Arena.Copy(path)
	return x.Collect(p.bodies.max, p.bodies.held)
}

// collected goes on with the body.
func (p *Pipeline) collected(x *exchange.Exchange, f *flow) exchange.Verdict {
	switch x.Request.Body.State {
	case exchange.BodyTooLong:
		return p.tooLong(x, f)
	case exchange.BodyNoRoom:
		return p.noRoom(x, f)
	}
	f.since = x.Now
	return p.routed(x, f, f.path)
}

func (p *Pipeline) tooLong(x *exchange.Exchange, f *flow) exchange.Verdict {
	f.failure = fmt.Sprintf("a condition of a route needs the body, which has more than %d bytes", p.bodies.max)
	return errorPage(x, 413)
}

func (p *Pipeline) noRoom(x *exchange.Exchange, f *flow) exchange.Verdict {
	p.bodies.refused.Add(1)
	b := p.bodies.held
	f.failure = fmt.Sprintf("too many bodies are held for conditions: %d bytes, %d of them of this one, and its next are above %d", b.Held(), x.Charged(), b.Most())
	return errorPage(x, 503)
}
