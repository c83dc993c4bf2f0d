package framed

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/history"
	"github.com/unilb/unilb/sim/traffic"
)

const (
	// Patience is how long a client waits for what must come. Who takes longer counts
	// as silent.
	Patience = 6 * time.Second
	// Window is what RFC 9113 lets either side send before the other has said
	// anything, in bytes; of a stream and of a connection.
	Window = 65_535

	maxFrame = 16 << 10 // what every peer must take, in bytes
	maxHead  = 1 << 20  // of a header list that is read
	maxBody  = 16 << 20 // of an answer that is kept
)

// Options of a connection. The zero value takes whatever comes.
type Options struct {
	// Window is what a stream may send before it is allowed more, in bytes; 0: Window.
	Window uint32
	// Hold opens no window by itself: see Stream.Allow and Conn.Allow.
	Hold bool
}

// A Conn is one connection of the first client.
type Conn struct {
	net.Conn
	o      Options
	client traffic.Client
	to     string
	rec    *history.Recorder
	prefix string
	number uint64

	wmu   sync.Mutex // writing; taken before mu
	out   bytes.Buffer
	fr    *http2.Framer // writes to out
	enc   *hpack.Encoder
	block bytes.Buffer

	mu      sync.Mutex
	changed chan struct{} // closed and made anew when something has come
	streams map[uint32]*Stream
	next    uint32
	sent    int
	peer    peer
	window  int64 // for what we send
	room    int64 // for what the peer sends
	acks    int   // of our SETTINGS
	pongs   int
	away    []Away
	gone    error // why nothing more comes; nil: it may
	wrong   error // the first thing that the peer must not do
}

// peer is what the gateway says of itself.
type peer struct {
	window  int64 // of a new stream
	streams uint32
}

// Away is a GOAWAY that came.
type Away struct {
	Last uint32
	Code http2.ErrCode
}

// ErrNotHTTP2 says that a handshake chose something else.
var ErrNotHTTP2 = errors.New("the handshake did not choose h2")

// Dial connects the first client to a gateway by TLS, asks for the name and for
// HTTP/2, until the case ends. Not getting there ends the case.
func Dial(ctx context.Context, t *spec.T, to netip.AddrPort, name string, o Options) *Conn {
	c, err := TryDial(ctx, t, to, name, o)
	var place *spec.Trouble
	switch {
	case errors.As(err, &place):
		t.Brokenf("connect to %s: %v", to, err)
	case err != nil:
		t.Fatalf("connect to %s for %s: %v", to, name, err)
	}
	return c
}

// DialClear connects it without TLS, as one does who knows that HTTP/2 is spoken.
func DialClear(ctx context.Context, t *spec.T, to netip.AddrPort, o Options) *Conn {
	return Dial(ctx, t, to, "", o)
}

// TryDial is Dial for a goroutine of a case: an error is returned.
func TryDial(ctx context.Context, t *spec.T, to netip.AddrPort, name string, o Options) (*Conn, error) {
	client := t.Env().Clients()[0]
	ctx, cancel := context.WithTimeout(ctx, Patience)
	defer cancel()
	var nc net.Conn
	var err error
	if name == "" {
		nc, err = client.Dialer.Dial(ctx, "tcp", to)
	} else {
		nc, err = secure(ctx, client, to, name)
	}
	if err != nil {
		return nil, err
	}
	c := newConn(nc, client, to.String(), t.Env().Recorder(), o)
	c.prefix, c.number = c.rec.Reserve(t.Name("h2"))
	t.Cleanup(func(context.Context) error {
		_ = c.Close() // most are closed already
		return nil
	})
	if err := c.begin(); err != nil {
		return nil, err
	}
	go c.read()
	return c, nil
}

func secure(ctx context.Context, client traffic.Client, to netip.AddrPort, name string) (net.Conn, error) {
	d := traffic.Secure{Dialer: client.Dialer, Config: &tls.Config{ServerName: name, InsecureSkipVerify: true, NextProtos: []string{"h2"}}}
	c, err := d.Handshake(ctx, to)
	if err != nil {
		return nil, err
	}
	if got := c.ConnectionState().NegotiatedProtocol; got != "h2" {
		_ = c.Close() // what went wrong says more
		return nil, fmt.Errorf("%w but %q", ErrNotHTTP2, got)
	}
	return c, nil
}

func newConn(nc net.Conn, client traffic.Client, to string, rec *history.Recorder, o Options) *Conn {
	if o.Window == 0 {
		o.Window = Window
	}
	c := &Conn{
		Conn: nc, o: o, client: client, to: to, rec: rec, changed: make(chan struct{}), streams: map[uint32]*Stream{}, next: 1,
		peer: peer{window: Window, streams: 100}, window: Window, room: Window,
	}
	c.fr = http2.NewFramer(&c.out, nc)
	c.fr.AllowIllegalWrites = true
	c.fr.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	c.fr.MaxHeaderListSize = maxHead
	c.enc = hpack.NewEncoder(&c.block)
	return c
}

// begin says what a client says first.
func (c *Conn) begin() error {
	return c.Write(func(fr *http2.Framer) error {
		c.out.WriteString(http2.ClientPreface)
		return fr.WriteSettings(
			http2.Setting{ID: http2.SettingInitialWindowSize, Val: c.o.Window}, http2.Setting{ID: http2.SettingEnablePush, Val: 0})
	})
}

// Write has frames written, all in one piece. An error may mean that the peer has ended
// the connection.
func (c *Conn) Write(f func(*http2.Framer) error) error {
	c.wmu.Lock()
	defer c.wmu.Unlock()
	c.out.Reset()
	if err := f(c.fr); err != nil || c.out.Len() == 0 {
		return err
	}
	if err := c.SetWriteDeadline(time.Now().Add(Patience)); err != nil {
		return err
	}
	_, err := c.Conn.Write(c.out.Bytes())
	return err
}

// Allow lets the peer send so many bytes more over the connection.
func (c *Conn) Allow(n uint32) {
	c.mu.Lock()
	c.room += int64(n)
	c.mu.Unlock()
	_ = c.Write(func(fr *http2.Framer) error { return fr.WriteWindowUpdate(0, n) })
}

// Until waits until what was asked for is so, under the lock of what has come. It
// returns false when it does not become so within Patience, or cannot any more because
// the connection has ended.
func (c *Conn) Until(ctx context.Context, so func() bool) bool { return c.within(ctx, Patience, so) }

func (c *Conn) within(ctx context.Context, bound time.Duration, so func() bool) bool {
	alarm := time.NewTimer(bound)
	defer alarm.Stop()
	for {
		c.mu.Lock()
		ok, over, changed := so(), c.gone != nil, c.changed
		c.mu.Unlock()
		if ok || over {
			return ok
		}
		select {
		case <-changed:
		case <-alarm.C:
			return false
		case <-ctx.Done():
			return false
		}
	}
}

// Ends waits until the peer has ended the connection, or said by GOAWAY that it does
// because of an error.
func (c *Conn) Ends(ctx context.Context) bool {
	return c.Until(ctx, func() bool { return c.gone != nil || c.failed() })
}

// Ended says whether it has.
func (c *Conn) Ended() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.gone != nil || c.failed()
}

func (c *Conn) failed() bool {
	for _, a := range c.away {
		if a.Code != http2.ErrCodeNo {
			return true
		}
	}
	return false
}

// Leaves waits until the peer has said by GOAWAY, or by ending the connection, that no
// stream is to follow.
func (c *Conn) Leaves(ctx context.Context) bool {
	return c.Until(ctx, func() bool { return len(c.away) > 0 || c.gone != nil })
}

// Left says whether it has.
func (c *Conn) Left() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.away) > 0 || c.gone != nil
}

// Settled waits until the peer has acknowledged the first SETTINGS.
func (c *Conn) Settled(ctx context.Context) bool {
	return c.Until(ctx, func() bool { return c.acks > 0 })
}

// Ping waits until the peer has answered a PING, after all that it was sent before.
func (c *Conn) Ping(ctx context.Context) bool {
	c.mu.Lock()
	before := c.pongs
	c.mu.Unlock()
	if c.Write(func(fr *http2.Framer) error { return fr.WritePing(false, [8]byte{1}) }) != nil {
		return false
	}
	return c.Until(ctx, func() bool { return c.pongs > before })
}

// Streams is how many streams the peer takes at a time.
func (c *Conn) Streams() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return int(min(c.peer.streams, 1000))
}

// Wrong is the first thing that the peer has done and must not do; nil: nothing.
func (c *Conn) Wrong() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.wrong
}

// String is what the peer said of the connection.
func (c *Conn) String() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := "the connection stands"
	for _, a := range c.away {
		out = fmt.Sprintf("GOAWAY %s after stream %d", a.Code, a.Last)
	}
	if c.gone != nil {
		out += ", ended: " + c.gone.Error()
	}
	return out
}
