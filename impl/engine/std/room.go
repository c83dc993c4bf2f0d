package std

import (
	"context"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// room bounds the connections of an engine.
type room struct {
	slots  chan struct{}
	log    *slog.Logger
	warned atomic.Int64 // when, in Unix nanoseconds
}

// warnEvery is how often a lack of room is logged, at most.
const warnEvery = 10 * time.Second

func newRoom(conns int, log *slog.Logger) *room {
	return &room{slots: make(chan struct{}, conns), log: log}
}

func (r *room) bound(ln net.Listener) *boundListener { return &boundListener{Listener: ln, room: r} }

func (r *room) refused(c net.Conn) {
	_ = c.Close() // who is refused learns it by the end of the connection
	now, last := time.Now().UnixNano(), r.warned.Load()
	if now-last >= int64(warnEvery) && r.warned.CompareAndSwap(last, now) {
		r.log.Warn("connections refused: no room", "max_conns", cap(r.slots))
	}
}

// boundListener closes connections for which there is no room. To let them wait
// would hide the overload from those who could go elsewhere.
type boundListener struct {
	net.Listener
	room    *room
	encrypt func(*boundConn) // puts TLS on a connection; nil: none
}

func (l *boundListener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		select {
		case l.room.slots <- struct{}{}:
			b := &boundConn{Conn: c, room: l.room}
			if l.encrypt != nil {
				l.encrypt(b)
			}
			return b, nil
		default:
			l.room.refused(c)
		}
	}
}

// boundConn is a connection of a client. It gives its room back when it is closed.
type boundConn struct {
	net.Conn
	room   *room
	once   sync.Once
	guard  guard
	secure *secure // nil: without TLS
}

type connKey struct{}

// connOf returns the connection of a request; nil when it is none of ours.
func connOf(ctx context.Context) *boundConn {
	c, _ := ctx.Value(connKey{}).(*boundConn)
	return c
}

func (c *boundConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.guard.see(b[:n])
	if err != nil {
		c.secure.failed(err)
	}
	return n, err
}

func (c *boundConn) Close() error {
	err := c.Conn.Close()
	c.once.Do(func() { <-c.room.slots })
	return err
}

// CloseWrite lets the library end its side first when a client is still
// sending; closing at once could destroy the answer on its way.
func (c *boundConn) CloseWrite() error {
	if w, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return w.CloseWrite()
	}
	return nil
}
