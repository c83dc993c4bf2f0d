package loop

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"github.com/unilb/unilb/impl/exchange"
)

// maxPools bounds the pools of a loop. A pool of TLS also depends on the name asked
// for, which may come from the client.
const maxPools = 16384

type poolKey = exchange.Pool

// A pool holds the idle connections of a loop to one target.
type pool struct {
	l    *loop
	key  poolKey
	addr netip.AddrPort // invalid: a name, to be looked up for each connection
	idle []*upstream    // the last used last
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
		p = &pool{l: l, key: key}
		p.addr, _ = netip.ParseAddrPort(key.Address)
		l.pools[key] = p
	}
	return p
}

// forgetPools lets go of pools that hold nothing.
func (l *loop) forgetPools() {
	for key, p := range l.pools {
		if len(p.idle) == 0 {
			delete(l.pools, key)
		}
	}
}

// take returns a connection of the pool, or nil.
func (p *pool) take() *upstream {
	n := len(p.idle)
	if n == 0 {
		return nil
	}
	u := p.idle[n-1]
	p.idle[n-1] = nil
	p.idle = p.idle[:n-1]
	u.idleAt = -1
	p.l.arm(&u.sock, 0)
	return u
}

// keep puts a connection into the pool.
func (p *pool) keep(u *upstream) {
	if p.key.IdleConns <= 0 || p.key.IdleTimeout <= 0 || p.l.stopping {
		u.close()
		return
	}
	if len(p.idle) >= p.key.IdleConns { // the one that was used longest ago
		oldest := p.idle[0]
		p.remove(oldest)
		oldest.close()
	}
	u.put, u.idleAt = p.l.batch, len(p.idle)
	p.idle = append(p.idle, u)
	p.l.arm(&u.sock, p.key.IdleTimeout)
}

// remove takes a connection out that has ended.
func (p *pool) remove(u *upstream) {
	i := u.idleAt
	if i < 0 || i >= len(p.idle) || p.idle[i] != u {
		return
	}
	copy(p.idle[i:], p.idle[i+1:])
	p.idle[len(p.idle)-1] = nil
	p.idle = p.idle[:len(p.idle)-1]
	for ; i < len(p.idle); i++ {
		p.idle[i].idleAt = i
	}
	u.idleAt = -1
}

func (p *pool) close() {
	for _, u := range p.idle {
		u.idleAt = -1
		u.close()
	}
	p.idle = nil
}

// connect makes a connection and sends the request over it.
func (p *pool) connect(r *run) {
	switch {
	case p.key.TLS:
		p.elsewhere(r, p.l.e.dialTLS)
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
	u := &upstream{pool: p, connecting: connecting, idleAt: -1, torn: c.torn}
	if e := p.l.attach(&u.sock, c.fd, u); e != 0 {
		c.hang()
		r.failed(exchange.Failure{Kind: exchange.FailedInternal, Replayable: !r.spilled, Err: fmt.Errorf("watch a connection: %w", e)})
		return
	}
	u.hangUp, u.blocked = c.hangUp, connecting
	u.ask(r)
	if connecting {
		p.l.arm(&u.sock, r.x.Plan.Connect)
	}
}

// A line is a connection that is ready for a loop.
type line struct {
	fd     int
	hangUp func()       // ends what goroutines do for it; nil: nobody does anything
	torn   *atomic.Bool // it did not end well, whatever its socket says; nil: the socket knows
}

func (c line) close() {
	closeFD(c.fd)
	c.hang()
}

func (c line) hang() {
	if c.hangUp != nil {
		go c.hangUp()
	}
}

// elsewhere has a goroutine connect: names are looked up and hands are shaken off
// the loop.
func (p *pool) elsewhere(r *run, dial func(context.Context, poolKey) (line, error)) {
	turn, key, limit := r.turn, p.key, r.x.Plan.Connect
	r.dialling = true
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), limit)
		defer cancel()
		c, err := dial(ctx, key)
		late := errors.Is(ctx.Err(), context.DeadlineExceeded)
		if !p.l.mail.post(func() { p.dialled(r, turn, c, err, late) }) && err == nil {
			c.close()
		}
	}()
}

func (p *pool) dialled(r *run, turn uint64, c line, err error, late bool) {
	if r.turn != turn || !r.dialling || r.over {
		if err == nil {
			c.close() // the exchange has ended
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
func dialName(ctx context.Context, key poolKey) (line, error) {
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", key.Address)
	if err != nil {
		return line{}, err
	}
	defer c.Close()
	fd := -1
	raw, err := c.(*net.TCPConn).SyscallConn()
	if err == nil {
		var failed error
		err = raw.Control(func(f uintptr) { fd, failed = unix.FcntlInt(f, unix.F_DUPFD_CLOEXEC, 0) })
		err = errors.Join(err, failed)
	}
	if err != nil {
		return line{}, fmt.Errorf("take over a connection to %s: %w", key.Address, err)
	}
	return line{fd: fd}, nil
}

// dialTLS connects and shakes hands; what the loop gets is one end of a pair of
// sockets, between whose other end and the target two goroutines encrypt.
func (e *Engine) dialTLS(ctx context.Context, key poolKey) (line, error) {
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", key.Address)
	if err != nil {
		return line{}, err
	}
	tc := tls.Client(c, key.TLSConfig(e.o.Roots))
	if err := tc.HandshakeContext(ctx); err != nil {
		_ = c.Close() // the handshake's error is the one to tell
		return line{}, err
	}
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		_ = tc.Close()
		return line{}, fmt.Errorf("make a pair of sockets: %w", err)
	}
	far := os.NewFile(uintptr(fds[1]), "tls")
	near, err := net.FileConn(far)
	_ = far.Close() // FileConn has its own
	if err != nil {
		closeFD(fds[0])
		_ = tc.Close()
		return line{}, fmt.Errorf("use a pair of sockets: %w", err)
	}
	// Either end of the pair, or of the connection, ends all. Closing tc wakes a write
	// that a target does not take; hangUp does so when the loop closes its end.
	torn := &atomic.Bool{}
	hangUp := func() { _ = tc.Close() }
	go func() {
		_, _ = io.Copy(tc, near)
		hangUp()
	}()
	go func() {
		if _, err := io.Copy(near, tc); err != nil {
			torn.Store(true)
		}
		_ = near.Close()
	}()
	return line{fd: fds[0], hangUp: hangUp, torn: torn}, nil
}
