package std

import (
	"context"
	"errors"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/unilb/unilb/impl/exchange"
)

const (
	// streamWindow is how much of an answer a target may send before the client has
	// taken it, in bytes. (The window of a connection is the library's, 1 GiB: who is
	// slow must not hold up the others.)
	streamWindow = 256 << 10
	// stuckWrite ends a connection to a target that takes no byte for that long.
	stuckWrite = time.Minute
)

// multiplexed holds the connections to a target that speaks HTTP/2. It has the library
// make single connections, for the library's own pool sends requests again of which a
// target may have carried out something.
type multiplexed struct {
	dial   func(context.Context) (net.Conn, error)
	tr     *http.Transport
	shared bool // a connection is for many requests

	mu     sync.Mutex
	conns  []*channel // the first that has room is taken: those not needed then become idle, and end
	making *making    // nil: nobody makes one
}

// A channel is a connection with many streams.
type channel struct {
	*http.ClientConn
	raw  net.Conn
	used bool
}

// making is a connection under way, for all who wait for one.
type making struct {
	done chan struct{}
	err  error // after done
}

// dialledKey carries a connection that stands to where the library asks for one.
type dialledKey struct{}

func newMultiplexed(key exchange.Pool, dial func(context.Context) (net.Conn, error)) *multiplexed {
	p := new(http.Protocols)
	p.SetUnencryptedHTTP2(true) // with TLS, too: it has been agreed on before the library gets the connection
	return &multiplexed{dial: dial, shared: reusable(key), tr: &http.Transport{
		Protocols: p,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return ctx.Value(dialledKey{}).(*opening), nil
		},
		DisableCompression:     true, // bodies pass as they are
		DisableKeepAlives:      !reusable(key),
		IdleConnTimeout:        key.IdleTimeout,
		MaxResponseHeaderBytes: maxAnswerHead,
		HTTP2:                  &http.HTTP2Config{MaxReceiveBufferPerStream: streamWindow, WriteByteTimeout: stuckWrite},
	}}
}

var errNoRoom = errors.New("target takes no request on any of its connections")

// take returns a connection with room for one request, which RoundTrip then uses
// up. careful: the request must not be risked on a connection that may have
// ended. reused: it was there before.
func (m *multiplexed) take(ctx context.Context, careful bool) (c *channel, reused bool, err error) {
	if !m.shared {
		c, err = m.connect(ctx)
		return c, false, err
	}
	for tries := 0; tries < maxStale; {
		m.mu.Lock()
		if c = m.free(careful); c != nil {
			reused, c.used = c.used, true
			m.mu.Unlock()
			return c, reused, nil
		}
		under := m.making
		if under == nil {
			tries++
			under = &making{done: make(chan struct{})}
			m.making = under
			// It goes on for the others when this request ends.
			go m.make(context.WithoutCancel(ctx), under)
		}
		m.mu.Unlock()
		select {
		case <-under.done:
			if under.err != nil {
				return nil, false, under.err
			}
		case <-ctx.Done():
			return nil, false, ctx.Err()
		}
	}
	return nil, false, &dialError{err: errNoRoom}
}

// free is called with the lock held.
func (m *multiplexed) free(careful bool) *channel {
	for i := 0; i < len(m.conns); {
		c := m.conns[i]
		ended, waiting := peek(c.raw)
		busy := c.InFlight()
		switch {
		case ended || c.Err() != nil: // the library notices by itself
			m.conns = slices.Delete(m.conns, i, i+1)
			continue
		case careful && waiting && busy <= 1: // that one may have ended as well
			// Most likely it is the word of the connection's end: what else has the
			// target to say.
			if busy == 0 {
				m.conns = slices.Delete(m.conns, i, i+1)
				go c.end()
				continue
			}
		case c.Reserve() == nil:
			return c
		}
		i++
	}
	return nil
}

// end closes a connection that nobody uses. With TLS it says so, and may wait.
func (c *channel) end() { _ = c.Close() }

func (m *multiplexed) make(ctx context.Context, under *making) {
	c, err := m.connect(ctx)
	m.mu.Lock()
	if under.err = err; err == nil {
		m.conns = append(m.conns, c)
	}
	m.making = nil
	m.mu.Unlock()
	close(under.done)
}

func (m *multiplexed) connect(ctx context.Context) (*channel, error) {
	raw, err := m.dial(ctx)
	if err != nil {
		return nil, err
	}
	first := &opening{Conn: raw, done: make(chan struct{})}
	c, err := m.tr.NewClientConn(context.WithValue(ctx, dialledKey{}, first), "http", "target:80")
	if err != nil {
		return nil, &dialError{err: err}
	}
	if err := first.wait(ctx); err != nil {
		_ = c.Close() // that error matters
		return nil, err
	}
	return &channel{ClientConn: c, raw: raw}, nil
}

// CloseIdleConnections ends those that nobody uses. The others end by themselves when
// they have been idle.
func (m *multiplexed) CloseIdleConnections() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, c := range m.conns {
		if c.InFlight() == 0 {
			go c.end()
		}
	}
	m.conns = nil
}
