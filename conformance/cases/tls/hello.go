package tls

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
	"time"

	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/traffic"
)

// recordHead is the length of the head of a TLS record.
const recordHead = 5

// helloOf is the record with which a client begins.
func helloOf(t *spec.T, c *tls.Config) []byte {
	var first listening
	_ = tls.Client(&first, c).Handshake() // it cannot end well: nobody is there
	if len(first.heard) <= recordHead {
		t.Brokenf("the client begins with %d bytes", len(first.heard))
	}
	return first.heard
}

// listening is a connection to nobody that keeps what is written first.
type listening struct {
	net.Conn
	heard []byte
}

var errNobody = errors.New("nobody is there")

func (l *listening) Write(b []byte) (int, error) {
	l.heard = append(l.heard, b...)
	return 0, errNobody
}
func (l *listening) Read([]byte) (int, error)         { return 0, errNobody }
func (l *listening) Close() error                     { return nil }
func (l *listening) SetDeadline(time.Time) error      { return nil }
func (l *listening) SetReadDeadline(time.Time) error  { return nil }
func (l *listening) SetWriteDeadline(time.Time) error { return nil }

// A cutter dials connections that send the first record of a handshake in parts.
type cutter struct {
	traffic.Dialer
	parts func(record []byte) [][]byte
	pause time.Duration // between two parts, so that they come apart
}

// Dial is a traffic.Dialer.
func (d cutter) Dial(ctx context.Context, network string, to netip.AddrPort) (net.Conn, error) {
	c, err := d.Dialer.Dial(ctx, network, to)
	if err != nil {
		return nil, err
	}
	return &cutting{Conn: c, d: d}, nil
}

type cutting struct {
	net.Conn
	d    cutter
	done bool
}

func (c *cutting) Write(b []byte) (int, error) {
	if c.done {
		return c.Conn.Write(b)
	}
	c.done = true
	tick := time.NewTicker(c.d.pause)
	defer tick.Stop()
	for _, part := range c.d.parts(b) {
		if _, err := c.Conn.Write(part); err != nil {
			return 0, err
		}
		<-tick.C
	}
	return len(b), nil
}

// pieces cuts bytes into so many pieces.
func pieces(b []byte, n int) [][]byte {
	var out [][]byte
	for size := (len(b) + n - 1) / n; len(b) > 0; b = b[min(size, len(b)):] {
		out = append(out, b[:min(size, len(b))])
	}
	return out
}

// records cuts a record into so many of the same type.
func records(b []byte, n int) [][]byte {
	var out [][]byte
	for _, p := range pieces(b[recordHead:], n) {
		r := append([]byte{b[0], b[1], b[2], byte(len(p) >> 8), byte(len(p))}, p...)
		out = append(out, r)
	}
	return out
}
