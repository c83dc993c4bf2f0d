package std

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/unilb/unilb/impl/engine/admit"
)

// boundListener closes connections for which there is no room.
type boundListener struct {
	net.Listener
	room    *admit.Room
	half    time.Duration // Options.HalfClose
	two     bool          // Options.HTTP2
	numbers *numbers
	encrypt func(*boundConn) // puts TLS on a connection; nil: none
}

func (e *Engine) bound(ln net.Listener) *boundListener {
	return &boundListener{Listener: ln, room: e.room, half: e.o.HalfClose, two: e.o.HTTP2, numbers: &e.numbers}
}

func (l *boundListener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if !l.room.Enter() {
			_ = c.Close() // who is refused learns it by the end of the connection
			continue
		}
		b := &boundConn{Conn: c, room: l.room, half: half{limit: l.half}, numbers: l.numbers}
		b.version.known = !l.two
		if l.encrypt != nil {
			l.encrypt(b)
		}
		return b, nil
	}
}

// boundConn is a connection of a client. It gives its room back when it is closed.
type boundConn struct {
	net.Conn
	room    *admit.Room
	once    sync.Once
	version version
	guard   guard   // of HTTP/1.1
	half    half    // the same
	secure  *secure // nil: without TLS
	// lingers: the client may still be sending a body that nobody wants.
	lingers atomic.Bool
	// stalled: the client took nothing of what was written in time.
	stalled atomic.Bool
	// served: a request is ours, or its answer is still on its way.
	served  atomic.Bool
	numbers *numbers
}

type connKey struct{}

// connOf returns the connection of a request; nil when it is none of ours.
func connOf(ctx context.Context) *boundConn {
	c, _ := ctx.Value(connKey{}).(*boundConn)
	return c
}

func (c *boundConn) Read(b []byte) (int, error) {
	if c.version.wrong {
		return 0, io.EOF // the library then ends the connection
	}
	n, err := c.Conn.Read(b)
	if err != nil {
		c.secure.failed(err)
	} else {
		c.secure.shook()
	}
	if c.begins(b[:n]); c.version.wrong {
		return 0, io.EOF
	}
	if c.version.two {
		return n, err
	}
	c.guard.see(b[:n])
	if n == 0 && errors.Is(err, io.EOF) && watches(len(b)) {
		err = c.half.wait(err)
	}
	return n, err
}

// Write counts what the library answers by itself to a head that it cannot read: it has
// no other way to tell, and such an answer is one write.
func (c *boundConn) Write(b []byte) (int, error) {
	if !c.served.Load() && bytes.HasPrefix(b, ownAnswer) {
		c.numbers.library.Add(1)
	}
	n, err := c.Conn.Write(b)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		c.stalled.Store(true)
	}
	c.half.wrote.Add(int64(n))
	return n, err
}

var ownAnswer = []byte("HTTP/1.1 ")

// SetReadDeadline also ends the wait of a client that has shut down its side.
func (c *boundConn) SetReadDeadline(t time.Time) error {
	c.half.interrupt(!t.IsZero() && !t.After(time.Now()))
	return c.Conn.SetReadDeadline(t)
}

func (c *boundConn) Close() error {
	c.half.interrupt(true)
	if c.lingers.Swap(false) {
		go c.linger()
		return nil
	}
	err := c.Conn.Close()
	c.once.Do(c.room.Leave)
	return err
}

// lingering is how long a body that nobody wants any more is read before the
// connection is closed. Closing at once could destroy the answer on its way to the
// client, which sends on until it has read it.
const lingering = 5 * time.Second

func (c *boundConn) linger() {
	tcp := c.Conn
	if t, ok := tcp.(*tls.Conn); ok {
		_ = t.CloseWrite() // the end below says it as well
		tcp = t.NetConn()
	}
	if half, ok := tcp.(*net.TCPConn); ok {
		_ = half.CloseWrite()                               // likewise; who is gone is found out by the read
		_ = half.SetReadDeadline(time.Now().Add(lingering)) // likewise
		_, _ = io.Copy(io.Discard, half)                    // until the client has read the answer, and closes
	}
	_ = c.Close() // nobody is left who wants to know
}

// CloseWrite lets the library end its side first when a client is still
// sending; closing at once could destroy the answer on its way.
func (c *boundConn) CloseWrite() error {
	if w, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return w.CloseWrite()
	}
	return nil
}
