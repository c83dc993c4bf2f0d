package ask

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/traffic"
)

// uploadSign is how long to wait for half of a body to show at the backend.
// Gateways that read a body whole before they send any of it show nothing.
const uploadSign = 500 * time.Millisecond

// HoldUpload sends the head and half of the body of a request; more sends the rest
// and may be called more than once.
func HoldUpload(ctx context.Context, t *spec.T, g *Gate, first, r traffic.Request, gw spec.Gateway) (h Held, more func()) {
	d := &halving{Dialer: t.Env().Clients()[0].Dialer, over: len(r.Body) / 2, half: make(chan struct{}), more: make(chan struct{})}
	s := traffic.NewSession(traffic.Client{Ref: t.Env().Clients()[0].Ref, Dialer: d}, gw.Data, t.Env().Recorder(),
		traffic.Options{Stream: t.Name("ask"), Headers: true, Conns: traffic.ConnPolicy{Keep: 1}, Timeout: time.Minute})
	t.Cleanup(func(context.Context) error { s.Close(); return nil })
	if warm := s.Do(ctx, first); warm.Reply == nil {
		t.Fatalf("%s: before anything happened: %s (op %s)", gw.Ref, Said(warm), warm.Op.ID)
	}
	h = Held{gw, make(chan traffic.Result, 1)}
	go func() { h.done <- s.Do(ctx, r) }()
	select {
	case <-d.half:
	case <-ctx.Done():
		t.Fatalf("%s: half of a body could not be sent: %v", gw.Ref, ctx.Err())
	}
	if !g.Arrived(ctx, uploadSign) {
		t.Logf("%s: half of a body does not show at the backend: it is kept back", gw.Ref)
	}
	return h, d.release
}

// halving dials connections which send the first half of a long write and keep
// the rest back until they are told.
type halving struct {
	traffic.Dialer
	over int           // bytes of a write that is long
	half chan struct{} // closed when the first half has been sent
	more chan struct{} // closed: the rest may follow

	sent, told sync.Once
}

func (d *halving) release() { d.told.Do(func() { close(d.more) }) }

// Dial is a traffic.Dialer.
func (d *halving) Dial(ctx context.Context, network string, to netip.AddrPort) (net.Conn, error) {
	c, err := d.Dialer.Dial(ctx, network, to)
	if err != nil {
		return nil, err
	}
	return &halved{c, d}, nil
}

type halved struct {
	net.Conn
	d *halving
}

func (c *halved) Write(b []byte) (int, error) {
	if len(b) <= c.d.over {
		return c.Conn.Write(b)
	}
	n, err := c.Conn.Write(b[:c.d.over])
	if err != nil {
		return n, err
	}
	c.d.sent.Do(func() { close(c.d.half) })
	<-c.d.more
	m, err := c.Conn.Write(b[c.d.over:])
	return n + m, err
}
