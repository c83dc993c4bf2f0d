package cases

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

// connectKey carries the time limit of connecting to the dialler.
type connectKey struct{}

// longestDial is how long the reference tries a black hole when nobody asks for
// less: longer than a case waits for a gateway that has no limit, and no more, since
// the end of the reference waits for it.
const longestDial = 7 * time.Second

func dialWithin(ctx context.Context, network, to string) (net.Conn, error) {
	limit, _ := ctx.Value(connectKey{}).(time.Duration)
	if limit == 0 || limit > longestDial {
		limit = longestDial
	}
	c, err := (&net.Dialer{Timeout: limit}).DialContext(ctx, network, to)
	if err != nil {
		return nil, err
	}
	return &watched{Conn: c, changed: sync.NewCond(&sync.Mutex{})}, nil
}

// watched knows whether somebody waits for what comes on it. The library gives a
// kept connection to the next request before it has looked for a surplus behind the
// last answer; with one it then closes, without one it reads.
type watched struct {
	net.Conn
	changed         *sync.Cond
	reading, closed bool
}

func (c *watched) set(state *bool, to bool) {
	c.changed.L.Lock()
	*state = to
	c.changed.L.Unlock()
	c.changed.Broadcast()
}

func (c *watched) Read(b []byte) (int, error) {
	c.set(&c.reading, true)
	defer c.set(&c.reading, false)
	return c.Conn.Read(b)
}

func (c *watched) Close() error {
	c.set(&c.closed, true)
	return c.Conn.Close()
}

// look waits until the library has looked.
func (c *watched) look() {
	c.changed.L.Lock()
	defer c.changed.L.Unlock()
	for !c.reading && !c.closed {
		c.changed.Wait()
	}
}

// careless is how a gateway keeps connections that takes whatever comes on them
// for the answer, and never looks whether they have ended. It has one for each
// target.
type careless struct {
	loyal map[string]string // upstream: the one target it asks
	mu    sync.Mutex
	conns map[string]*carelessConn
}

type carelessConn struct {
	net.Conn
	r *bufio.Reader
}

func (k *careless) roundTrip(r *http.Request, target string) (*http.Response, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	c := k.conns[target]
	if c == nil {
		nc, err := dialWithin(r.Context(), "tcp", target)
		if err != nil {
			return nil, err
		}
		c = &carelessConn{nc, bufio.NewReader(nc)}
		if k.conns == nil {
			k.conns = map[string]*carelessConn{}
		}
		k.conns[target] = c
	}
	err := r.Write(c)
	if err == nil {
		var resp *http.Response
		if resp, err = http.ReadResponse(c.r, r); err == nil {
			var body []byte
			body, err = io.ReadAll(resp.Body) // before the connection is somebody else's
			resp.Body = io.NopCloser(bytes.NewReader(body))
		}
		if err == nil {
			return resp, nil
		}
	}
	_ = c.Close() // of no use any more
	delete(k.conns, target)
	return nil, err
}

// poolOf are the connections to targets that belong to one connection of a client.
func (g *reference) poolOf(client string) *http.Transport {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.pools == nil {
		g.pools = map[string]*http.Transport{}
	}
	if g.pools[client] == nil {
		g.pools[client] = &http.Transport{DisableCompression: true, IdleConnTimeout: time.Second, DialContext: dialWithin}
	}
	return g.pools[client]
}
