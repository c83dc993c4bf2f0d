package loop

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"

	"github.com/unilb/unilb/impl/exchange"
)

// dialsAtOnce bounds the goroutines of a pool that connect at the same time. Those
// beyond wait for their turn, and their time runs meanwhile.
const dialsAtOnce = 256

// A line is a connection that is ready for a loop.
type line struct {
	fd  int
	tls *session // after its handshake; nil: none
}

// A dialler connects to an address.
type dialler func(context.Context, string, *tls.Config) (line, error)

// dial connects when it is its turn. It runs off the loop.
func (p *pool) dial(ctx context.Context, f dialler) (line, error) {
	select {
	case p.dials <- struct{}{}:
		defer func() { <-p.dials }()
	case <-ctx.Done():
		return line{}, fmt.Errorf("%d others connect to %s: %w", cap(p.dials), p.key.Address, ctx.Err())
	}
	return f(ctx, p.key.Address, p.tls)
}

// elsewhere has a goroutine connect: names are looked up and hands are shaken off
// the loop. It ends with the exchange.
func (p *pool) elsewhere(r *run, f dialler) {
	turn := r.turn
	ctx, cancel := context.WithTimeout(context.Background(), r.x.Plan.Connect)
	r.dialling = cancel
	go func() {
		defer cancel()
		c, err := p.dial(ctx, f)
		late := errors.Is(ctx.Err(), context.DeadlineExceeded)
		if !p.l.mail.post(func() { p.dialled(r, turn, c, err, late) }) && err == nil {
			closeFD(c.fd)
		}
	}()
}

// stopDialling ends that.
func (r *run) stopDialling() {
	if r.dialling != nil {
		r.dialling()
		r.dialling = nil
	}
}

func (p *pool) dialled(r *run, turn uint64, c line, err error, late bool) {
	if r.turn != turn || r.dialling == nil || r.over { // the exchange has ended
		if err == nil {
			p.spare(c)
		}
		return
	}
	defer r.rescue()
	r.dialling = nil
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

// spare keeps a connection that nobody waits for any more.
func (p *pool) spare(c line) {
	if p.l.ended || p.l.stopping {
		closeFD(c.fd)
		return
	}
	if u, e := p.connection(c, false); e == 0 {
		p.keep(u)
	}
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
