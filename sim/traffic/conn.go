package traffic

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/unilb/unilb/sim/http1"
)

// conn is one client connection.
type conn struct {
	net.Conn
	r    http1.Reader
	raw  syscall.RawConn // nil where there is no socket to look at
	id   uint64
	from string // local address
	used int    // requests carried so far
	out  []byte // the request under way; kept for the next one
}

// Sizes of a connection's buffers, in bytes.
const (
	readBufferBytes = 8 << 10
	maxKeptBytes    = 64 << 10 // a larger request gives its memory back
)

func dial(ctx context.Context, d Dialer, to netip.AddrPort, id uint64) (*conn, error) {
	nc, err := d.Dial(ctx, "tcp", to)
	if err != nil {
		if ctx.Err() != nil {
			err = errors.Join(ctx.Err(), err)
		}
		return nil, fmt.Errorf("dial %s: %w", to, err)
	}
	c := &conn{Conn: nc, r: http1.Reader{Reader: bufio.NewReaderSize(nc, readBufferBytes)}, id: id, from: nc.LocalAddr().String()}
	if sc, ok := nc.(syscall.Conn); ok {
		c.raw, err = sc.SyscallConn()
		if err != nil {
			_ = nc.Close() // nothing was sent
			return nil, fmt.Errorf("dial %s: %w", to, err)
		}
	}
	return c, nil
}

// roundTrip sends a request and reads the whole response until the deadline.
func (c *conn) roundTrip(ctx context.Context, deadline time.Time, p prepared, id string, o exchangeOptions) (*Reply, error) {
	if err := c.SetDeadline(deadline); err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { _ = c.SetDeadline(time.Unix(1, 0)) }) // wakes the read below
	defer stop()
	c.used++
	c.out = p.append(c.out[:0], id, o.last)
	_, werr := c.Write(c.out)
	if cap(c.out) > maxKeptBytes {
		c.out = nil
	}
	// A server may answer and close before it has read everything, so the
	// answer is worth reading even when writing failed.
	r, err := c.read(p.Method, o.keep)
	switch {
	case err == nil:
		return r, nil
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case werr != nil:
		return nil, werr
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return nil, fmt.Errorf("connection ended before the response was complete: %w", err)
	}
	return nil, err
}

// exchangeOptions are what a session wants of each exchange.
type exchangeOptions struct {
	last bool // the connection is not used again
	keep int  // bytes of the body to hand back
}

// stale says whether the server ended an idle connection, or sent something
// nobody asked for. Clients that keep connections look before they send;
// without looking, every drain would seem to lose requests.
func (c *conn) stale() bool {
	if c.r.Buffered() > 0 {
		return true
	}
	if c.raw == nil {
		return false
	}
	alive := false
	err := c.raw.Control(func(fd uintptr) {
		var one [1]byte
		_, _, rerr := unix.Recvfrom(int(fd), one[:], unix.MSG_PEEK|unix.MSG_DONTWAIT)
		alive = errors.Is(rerr, unix.EAGAIN) // silence is the only good answer
	})
	return err != nil || !alive
}
