package loop

import (
	"crypto/tls"
	"fmt"
	"net/netip"
	"slices"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/unilb/unilb/impl/exchange"
)

// A pool holds the connections of a loop to one target that are idle, or take more
// requests beside those that they have.
type pool struct {
	l    *loop
	key  poolKey
	addr netip.AddrPort // invalid: a name, to be looked up for each connection
	idle idle           // those that carry nothing
	tls  *tls.Config    // with the sessions to resume; nil: none

	forgotten bool          // the loop does not find it: nothing is kept for later
	dials     chan struct{} // goroutines that connect

	trunks []*trunk // of HTTP/2, that more requests may come to
	queued int      // requests that wait for one of them
	limit  int      // streams that the target takes on each, as it last said
}

// take returns an idle connection of HTTP/1.1, or nil. The one that was used last is the
// most likely to be alive, unless it came back in this batch: whether its target has
// said more since has to be asked then.
func (p *pool) take() *upstream {
	c := p.idle.newest
	if c == nil {
		return nil
	}
	if oldest := p.idle.oldest; c.put == p.l.batch && oldest.put != p.l.batch {
		c = oldest
	}
	p.out(c)
	u := c.who.(*upstream)
	p.l.arm(&u.sock, 0)
	return u
}

// keep puts a connection of HTTP/1.1 into the pool.
func (p *pool) keep(u *upstream) {
	if p.forgotten {
		p = p.l.remember(p)
		u.pool = p
	}
	if !p.keeps() {
		u.close()
		return
	}
	u.put = p.l.batch
	p.in(&u.idler)
	p.l.arm(&u.sock, p.key.IdleTimeout)
}

// in takes a connection among those that carry nothing. When there are too many, of this
// pool or of all, it takes the place of the one that was used longest ago.
func (p *pool) in(c *idler) {
	l := p.l
	if p.idle.n >= p.key.IdleConns {
		p.idle.oldest.who.quit()
	} else if l.idle.n >= l.mostIdle {
		l.idle.oldest.who.quit()
	}
	p.idle.add(c)
	l.idle.add(c)
}

// keeps tells whether connections that carry nothing are kept.
func (p *pool) keeps() bool {
	return p.key.IdleConns > 0 && p.key.IdleTimeout > 0 && !p.forgotten && !p.l.stopping
}

// out takes a connection from among them, if it is there.
func (p *pool) out(c *idler) {
	p.idle.remove(c)
	p.l.idle.remove(c)
}

// quit ends a connection that carries nothing.
func (u *upstream) quit() {
	u.pool.out(&u.idler)
	u.leave()
}

func (p *pool) close() {
	for c := p.idle.newest; c != nil; c = p.idle.newest {
		c.who.quit()
	}
	for _, t := range slices.Clone(p.trunks) {
		if len(t.branches) == 0 {
			t.quit()
		}
	}
}

// connect makes a connection and sends the request over it.
func (p *pool) connect(r *run) {
	switch {
	case p.key.TLS:
		p.elsewhere(r, dialTLS)
	case !p.addr.IsValid():
		p.elsewhere(r, dialName)
	default:
		fd, e := connectTo(p.addr)
		if e != 0 && e != unix.EINPROGRESS {
			r.failed(exchange.Failure{Kind: exchange.FailedConnect, Replayable: !r.spilled, Err: fmt.Errorf("connect to %s: %w", p.key.Address, e)})
			return
		}
		p.connected(r, line{fd: fd}, e == unix.EINPROGRESS)
	}
}

// connected takes a connection that stands, or is being made.
func (p *pool) connected(r *run, c line, connecting bool) {
	u, e := p.connection(c, connecting)
	if e != 0 {
		r.failed(exchange.Failure{Kind: exchange.FailedInternal, Replayable: !r.spilled, Err: fmt.Errorf("watch a connection: %w", e)})
		return
	}
	u.ask(r)
	if connecting {
		p.l.arm(&u.sock, r.x.Plan.Connect)
	}
}

// connection puts one into the loop. After an error it is closed.
func (p *pool) connection(c line, connecting bool) (*upstream, syscall.Errno) {
	u := &upstream{idler: idler{pool: p}, connecting: connecting}
	u.who = u
	if u.tls = c.tls; u.tls != nil {
		u.tls.s = &u.sock
	}
	e := p.l.attach(&u.sock, c.fd, u)
	u.blocked = connecting
	return u, e
}
