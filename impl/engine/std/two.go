package std

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"

	"golang.org/x/net/http2"
)

// maxStreams bounds the requests that a connection of HTTP/2 carries at a time.
const maxStreams = 128

// Bytes of bodies that a connection and a stream may have received that nobody has taken.
const (
	windowOfConn   = 1 << 20
	windowOfStream = 256 << 10
)

// speakTwo adds HTTP/2. TLS is below what the library sees, so it takes all connections
// for such without TLS and finds HTTP/2 by its preface.
//
// Its part for HTTP/2 belongs to a server that accepts nothing: Shutdown of that is the
// only way to have the library send GOAWAY on connections that ask for nothing (Go 1.26).
func (e *Engine) speakTwo() {
	e.two = &http.Server{IdleTimeout: e.o.IdleTimeout, Protocols: new(http.Protocols)}
	e.two.Protocols.SetUnencryptedHTTP2(true)
	_ = e.two.Serve(nobody{}) // makes that part, and ends
	s := e.srv
	s.Protocols = new(http.Protocols)
	s.Protocols.SetHTTP1(true)
	s.Protocols.SetUnencryptedHTTP2(true)
	s.TLSNextProto = e.two.TLSNextProto
	s.HTTP2 = &http.HTTP2Config{
		MaxConcurrentStreams:          maxStreams,
		MaxReceiveBufferPerConnection: windowOfConn,
		MaxReceiveBufferPerStream:     windowOfStream,
		WriteByteTimeout:              e.o.BodyTimeout, // or who reads nothing holds up the limits of its streams
		CountError:                    e.numbers.broken,
	}
	s.RegisterOnShutdown(e.goAway)
}

// goAway asks all clients of HTTP/2 that are there to send no more.
func (e *Engine) goAway() {
	if e.two != nil {
		_ = e.two.Shutdown(context.Background()) // it has nothing to wait for
	}
}

// nobody is a listener that nobody comes to.
type nobody struct{}

func (nobody) Accept() (net.Conn, error) { return nil, net.ErrClosed }
func (nobody) Close() error              { return nil }
func (nobody) Addr() net.Addr            { return &net.TCPAddr{} }

// version is which HTTP a connection speaks. Its first bytes say it.
type version struct {
	known bool
	two   bool
	wrong bool // another was agreed on
	seen  int  // bytes of the preface of HTTP/2
}

// begins takes the next of the first bytes. With TLS the version is agreed on in the
// handshake (RFC 9113, 3.2 and 3.3). Reads are made one at a time.
func (c *boundConn) begins(b []byte) {
	v := &c.version
	if v.known {
		return
	}
	agreed := c.secure != nil && c.secure.conn.ConnectionState().NegotiatedProtocol == http2.NextProtoTLS
	rest := http2.ClientPreface[v.seen:]
	n := min(len(b), len(rest))
	if string(b[:n]) != rest[:n] {
		v.known, v.wrong = true, agreed
		return
	}
	if v.seen += n; v.seen == len(http2.ClientPreface) {
		v.known, v.two, v.wrong = true, true, c.secure != nil && !agreed
	}
}

// stalled tells that the client takes nothing of its connection.
func (n *run) stalled() bool {
	c := connOf(n.r.Context())
	return c != nil && c.stalled.Load()
}

// reset tells that the client has given up a request of HTTP/2, whose body ended with the
// error, if it did. The library has no type for it where it did not; and nothing is written
// to a stream that has ended.
func (n *run) reset(body error) bool {
	var code http2.StreamError
	if body != nil {
		return errors.As(body, &code)
	}
	if n.r.Context().Err() == nil {
		return false
	}
	err := n.rc.Flush()
	return err != nil && strings.Contains(err.Error(), "stream closed")
}
