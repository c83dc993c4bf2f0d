package tls

import (
	"context"
	"net"
	"net/netip"

	"github.com/unilb/unilb/sim/traffic"
)

// A recorder dials one connection and knows the last TLS record that came over
// it: the library takes an end without close_notify for an orderly one.
type recorder struct {
	traffic.Dialer
	kind, length int // of the last record
	head         []byte
	left         int // bytes of the last record that are still to come
}

// Types of records, and what an alert of two bytes has when it is sealed as TLS 1.3
// does: its type and a tag of 16 bytes. Nothing that belongs to an answer is as short.
const (
	typeAlert       = 21
	typeData        = 23
	sealedAlertSize = 2 + 1 + 16
)

// alert says whether the last record was complete and an alert.
func (r *recorder) alert() bool {
	return r.left == 0 && len(r.head) == 0 && (r.kind == typeAlert || r.kind == typeData && r.length == sealedAlertSize)
}

// Dial is a traffic.Dialer.
func (r *recorder) Dial(ctx context.Context, network string, to netip.AddrPort) (net.Conn, error) {
	c, err := r.Dialer.Dial(ctx, network, to)
	if err != nil {
		return nil, err
	}
	return &recorded{c, r}, nil
}

type recorded struct {
	net.Conn
	r *recorder
}

func (c *recorded) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.r.follow(b[:n])
	return n, err
}

// follow goes through what came, from record to record.
func (r *recorder) follow(b []byte) {
	for len(b) > 0 {
		if r.left > 0 {
			n := min(r.left, len(b))
			r.left, b = r.left-n, b[n:]
			continue
		}
		n := min(recordHead-len(r.head), len(b))
		r.head, b = append(r.head, b[:n]...), b[n:]
		if len(r.head) == recordHead {
			r.kind, r.length = int(r.head[0]), int(r.head[3])<<8|int(r.head[4])
			r.left, r.head = r.length, nil
		}
	}
}
