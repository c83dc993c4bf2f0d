package std

import (
	"crypto/tls"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/unilb/unilb/impl/certs"
	"github.com/unilb/unilb/impl/engine/admit"
)

// encrypt puts TLS on a connection. The handshake is made by the first read, which
// the library does in the goroutine of the connection and bounds like the head of a
// request; so a client that stops half-way keeps nobody else waiting.
func (e *Engine) encrypt(c *boundConn) {
	// Who reads nothing must not hold the handshake for ever, either.
	_ = c.SetWriteDeadline(time.Now().Add(e.o.HeadTimeout)) // fails only on a dead connection
	t := tls.Server(c.Conn, e.o.TLS.Config())
	c.Conn, c.secure = t, &secure{conn: t, certs: e.o.TLS, server: e.o.Server, numbers: &e.numbers}
}

// secure is the TLS of a connection.
type secure struct {
	conn   *tls.Conn
	certs  *certs.Server
	server string // value of Server
	once   sync.Once
	said   *certs.Conn // by the client; nil before the first request

	numbers *numbers
	counted sync.Once // its handshake
}

// client is what the client said in the handshake.
func (s *secure) client() *certs.Conn {
	s.once.Do(func() { s.said = s.certs.Conn(s.conn.ConnectionState()) })
	return s.said
}

// failed tells a client that speaks HTTP without TLS why it is not served.
func (s *secure) failed(err error) {
	var head tls.RecordHeaderError
	if s != nil && !s.conn.ConnectionState().HandshakeComplete {
		s.counted.Do(func() { s.numbers.unshaken.Add(1) })
	}
	if s == nil || !errors.As(err, &head) || head.Conn == nil {
		return
	}
	switch string(head.RecordHeader[:]) {
	case "GET /", "HEAD ", "POST ", "PUT /", "OPTIO", "DELET", "PATCH":
		_, _ = io.WriteString(head.Conn, admit.PlainRequest(s.server)) // a courtesy
	}
}

// shook counts the handshake of a connection that has been read from, and ends its limit.
func (s *secure) shook() {
	if s != nil {
		s.counted.Do(func() {
			s.numbers.shaken.Add(1)
			_ = s.conn.SetWriteDeadline(time.Time{}) // fails only on a dead connection
		})
	}
}
