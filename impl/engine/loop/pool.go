package loop

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/unilb/unilb/impl/exchange"
)

// maxPools bounds the pools of a loop. A pool of TLS also depends on the name asked
// for, which may come from the client.
const maxPools = 16384

type poolKey = exchange.Pool

// A pool holds the connections of a loop to one target that are idle, or take more
// requests beside those that they have.
type pool struct {
	l    *loop
	key  poolKey
	addr netip.AddrPort // invalid: a name, to be looked up for each connection
	idle idle           // of HTTP/1.1
	tls  *tls.Config    // with the sessions to resume; nil: none

	trunks []*trunk // of HTTP/2, that more requests may come to
	queued int      // requests that wait for one of them
	limit  int      // streams that the target takes on each, as it last said
}

// key is what connections of the plan must share. For TLS without a name of its own
// the name is that of the request, as in APISIX.
func (r *run) key() poolKey {
	key := r.x.Plan.Target.Pool
	key.ClientCert = r.x.Plan.ClientCert
	if key.TLS && key.ServerName == "" {
		key.ServerName = strings.Clone(strings.Trim(exchange.HostName(&r.x.Arena, r.x.Plan.Host), "[]")) // a key outlives the arena
	}
	return key
}

func (l *loop) pool(key poolKey) *pool {
	p := l.pools[key]
	if p == nil {
		if len(l.pools) >= maxPools {
			l.forgetPools()
		}
		p = &pool{l: l, key: key, limit: newStreams}
		p.addr, _ = netip.ParseAddrPort(key.Address)
		if key.TLS {
			p.tls = key.TLSConfig(l.e.o.Roots)
		}
		l.pools[key] = p
	}
	return p
}

// forgetPools lets go of pools that hold nothing.
func (l *loop) forgetPools() {
	for key, p := range l.pools {
		if p.idle.n == 0 && len(p.trunks) == 0 {
			delete(l.pools, key)
		}
	}
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
	p.idle.remove(u)
	p.l.arm(&u.sock, 0)
	return u
}

// keep puts a connection into the pool.
func (p *pool) keep(u *upstream) {
	if p.key.IdleConns <= 0 || p.key.IdleTimeout <= 0 || p.l.stopping {
		u.close()
		return
	}
	if p.idle.n >= p.key.IdleConns { // the one that was used longest ago
		oldest := p.idle.oldest
		p.idle.remove(oldest)
		oldest.leave()
	}
	u.put = p.l.batch
	p.idle.add(u)
	p.l.arm(&u.sock, p.key.IdleTimeout)
}

func (p *pool) close() {
	for u := p.idle.newest; u != nil; u = p.idle.newest {
		p.idle.remove(u)
		u.leave()
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
	u := &upstream{pool: p, connecting: connecting}
	if u.tls = c.tls; u.tls != nil {
		u.tls.s = &u.sock
	}
	if e := p.l.attach(&u.sock, c.fd, u); e != 0 {
		r.failed(exchange.Failure{Kind: exchange.FailedInternal, Replayable: !r.spilled, Err: fmt.Errorf("watch a connection: %w", e)})
		return
	}
	u.blocked = connecting
	u.ask(r)
	if connecting {
		p.l.arm(&u.sock, r.x.Plan.Connect)
	}
}

// A line is a connection that is ready for a loop.
type line struct {
	fd  int
	tls *session // after its handshake; nil: none
}

// A dialler connects to an address.
type dialler func(context.Context, string, *tls.Config) (line, error)

// elsewhere has a goroutine connect: names are looked up and hands are shaken off
// the loop.
func (p *pool) elsewhere(r *run, dial dialler) {
	turn, address, conf, limit := r.turn, p.key.Address, p.tls, r.x.Plan.Connect
	r.dialling = true
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), limit)
		defer cancel()
		c, err := dial(ctx, address, conf)
		late := errors.Is(ctx.Err(), context.DeadlineExceeded)
		if !p.l.mail.post(func() { p.dialled(r, turn, c, err, late) }) && err == nil {
			closeFD(c.fd)
		}
	}()
}

func (p *pool) dialled(r *run, turn uint64, c line, err error, late bool) {
	if r.turn != turn || !r.dialling || r.over {
		if err == nil {
			closeFD(c.fd) // the exchange has ended
		}
		return
	}
	defer r.rescue()
	r.dialling = false
	if err == nil {
		p.connected(r, c, false)
		return
	}
	kind := exchange.FailedConnect
	if late {
		kind = exchange.TimedOutConnect
	}
	r.failed(exchange.Failure{Kind: kind, Replayable: !r.spilled, Err: err})
}

// dialName connects to the first address of a name that answers.
func dialName(ctx context.Context, address string, _ *tls.Config) (line, error) {
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return line{}, err
	}
	return takeOver(c)
}

// takeOver makes a connection of the library one of ours.
func takeOver(c net.Conn) (line, error) {
	fd, err := duplicate(c.(*net.TCPConn))
	_ = c.Close() // the socket lives on by our descriptor
	if err != nil {
		return line{}, fmt.Errorf("take over a connection to %s: %w", c.RemoteAddr(), err)
	}
	return line{fd: fd}, nil
}

// dialTLS connects and shakes hands.
func dialTLS(ctx context.Context, address string, conf *tls.Config) (line, error) {
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return line{}, err
	}
	t := &session{mem: memory{line: c}}
	t.conn = tls.Client(&t.mem, conf)
	if err := t.conn.HandshakeContext(ctx); err != nil {
		_ = c.Close() // the handshake's error is the one to tell
		return line{}, err
	}
	if agreed := t.conn.ConnectionState().NegotiatedProtocol; len(conf.NextProtos) > 0 && !slices.Contains(conf.NextProtos, agreed) {
		_ = c.Close() // it is of no use
		return line{}, fmt.Errorf("target at %s did not agree on %s (ALPN)", address, conf.NextProtos[0])
	}
	l, err := takeOver(c)
	t.mem.line, l.tls = nil, t
	return l, err
}
