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
	idle idle           // of HTTP/1.1
	tls  *tls.Config    // with the sessions to resume; nil: none

	forgotten bool          // the loop does not find it: nothing is kept for later
	dials     chan struct{} // goroutines that connect

	trunks []*trunk // of HTTP/2, that more requests may come to
	queued int      // requests that wait for one of them
	limit  int      // streams that the target takes on each, as it last said
}

// take returns a connection of the pool, or nil. The one that was used last is the
// most likely to be alive, unless it came back in this batch: whether its target has
// said more since has to be asked then.
func (p *pool) take() *upstream {
	u := p.idle.newest
	if u == nil {
		return nil
	}
	if oldest := p.idle.oldest; u.put == p.l.batch && oldest.put != p.l.batch {
		u = oldest
	}
	p.out(u)
	p.l.arm(&u.sock, 0)
	return u
}

// keep puts a connection into the pool. When there are too many it takes the place of
// the one that was used longest ago.
func (p *pool) keep(u *upstream) {
	l := p.l
	if p.forgotten {
		p = l.remember(p)
		u.pool = p
	}
	if !p.keeps() {
		u.close()
		return
	}
	if p.idle.n >= p.key.IdleConns {
		p.idle.oldest.retire()
	} else if l.idle.n >= l.mostIdle {
		l.idle.oldest.retire()
	}
	u.put = l.batch
	p.idle.add(u)
	l.idle.add(u)
	l.arm(&u.sock, p.key.IdleTimeout)
}

// keeps tells whether connections that carry nothing are kept.
func (p *pool) keeps() bool {
	return p.key.IdleConns > 0 && p.key.IdleTimeout > 0 && !p.forgotten && !p.l.stopping
}

// out takes a connection out of the pool, if it is there.
func (p *pool) out(u *upstream) {
	p.idle.remove(u)
	p.l.idle.remove(u)
}

// retire ends a connection that carries nothing.
func (u *upstream) retire() {
	u.pool.out(u)
	u.leave()
}

func (p *pool) close() {
	for u := p.idle.newest; u != nil; u = p.idle.newest {
		u.retire()
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
	u := &upstream{pool: p, connecting: connecting}
	if u.tls = c.tls; u.tls != nil {
		u.tls.s = &u.sock
	}
	e := p.l.attach(&u.sock, c.fd, u)
	u.blocked = connecting
	return u, e
}
