package lab

import (
	"fmt"
	"net"
	"net/netip"
	"sync"

	"github.com/unilb/unilb/sim/echo"
)

// startEchoes opens the echo ports of all nodes.
func (l *Lab) startEchoes() error {
	for _, n := range l.order {
		if err := n.startEchoes(); err != nil {
			return err
		}
	}
	return nil
}

// startEchoes opens the node's echo ports that are not open.
func (n *Node) startEchoes() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.echoes) > 0 || len(n.plan.Echo) == 0 {
		return nil
	}
	serve := n.lab.o.Backend
	if serve == nil {
		if n.echo == nil {
			o := echo.Options{Ref: n.Ref(), Sink: n.lab.rec}
			if n.plan.Guest != nil {
				o.VNI = n.plan.Guest.VNI
			}
			n.echo = echo.New(o)
		}
	}
	for _, port := range n.plan.Echo {
		inner, err := n.Listen("tcp4", netip.AddrPortFrom(netip.IPv4Unspecified(), port))
		if err != nil {
			return fmt.Errorf("open echo port %d: %w", port, err)
		}
		t := &trackedListener{Listener: inner, conns: map[net.Conn]struct{}{}}
		n.echoes = append(n.echoes, t)
		if serve != nil {
			go serve(*n.plan, t)
		} else {
			go func() { _ = n.echo.Serve(t) }() // it ends with the listener
		}
	}
	return nil
}

// stopEchoes closes the node's echo ports and resets their connections. Without a
// link nobody sees the resets: that is how a machine without power ends.
func (n *Node) stopEchoes() {
	n.mu.Lock()
	echoes := n.echoes
	n.echoes = nil
	n.mu.Unlock()
	for _, t := range echoes {
		t.abort()
	}
}

// A trackedListener knows the connections that it accepted and are still open.
type trackedListener struct {
	net.Listener
	mu     sync.Mutex
	closed bool
	conns  map[net.Conn]struct{}
}

func (t *trackedListener) Accept() (net.Conn, error) {
	c, err := t.Listener.Accept()
	if err != nil {
		return nil, err
	}
	tracked := &trackedConn{Conn: c, from: t}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		reset(c)
		return nil, net.ErrClosed
	}
	t.conns[c] = struct{}{}
	return tracked, nil
}

func (t *trackedListener) abort() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	_ = t.Close() // the backend may have closed it
	for c := range t.conns {
		reset(c)
	}
}

// reset closes a connection with RST instead of FIN.
func reset(c net.Conn) {
	if tcp, ok := c.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // fails on a connection that is gone already
	}
	_ = c.Close()
}

type trackedConn struct {
	net.Conn
	from *trackedListener
}

// NetConn gives backends the socket below, for what net.Conn has no word for.
func (c *trackedConn) NetConn() net.Conn { return c.Conn }

// SetLinger lets a backend reset the connection as it could without us.
func (c *trackedConn) SetLinger(sec int) error {
	if tcp, ok := c.Conn.(*net.TCPConn); ok {
		return tcp.SetLinger(sec)
	}
	return nil
}

func (c *trackedConn) Close() error {
	c.from.mu.Lock()
	delete(c.from.conns, c.Conn)
	c.from.mu.Unlock()
	return c.Conn.Close()
}
