package echo

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"

	"github.com/unilb/unilb/sim/history"
	"github.com/unilb/unilb/sim/http1"
)

// A request is the head of a request as it arrived.
type request struct {
	method, target, proto string
	http1.Fields
}

// readRequest reads a request line and header lines.
func readRequest(r *http1.Reader) (request, error) {
	h, err := r.Head()
	if err != nil {
		return request{}, err
	}
	method, rest, _ := strings.Cut(h.First, " ")
	target, proto, _ := strings.Cut(rest, " ")
	if method == "" || target == "" || !strings.HasPrefix(proto, "HTTP/1.") || strings.Contains(proto, " ") {
		return request{}, fmt.Errorf("%w: request line %q", http1.ErrMalformed, h.First)
	}
	return request{method, target, proto, h.Fields}, nil
}

// close says whether the connection ends after this request.
func (q *request) close() bool { return q.proto != "HTTP/1.1" || q.Lists("Connection", "close") }

// body is the framed body of the request; nil when it has none.
func (q *request) body(r *http1.Reader) (io.Reader, error) {
	f, err := q.Framing()
	switch {
	case err != nil:
		return nil, err
	case f.Chunked:
		return r.Chunked(), nil
	case f.Length > MaxBodyBytes:
		return nil, fmt.Errorf("%w: a body of %d bytes, want at most %d", http1.ErrMalformed, f.Length, MaxBodyBytes)
	case f.Length > 0:
		return r.Sized(f.Length), nil
	}
	return nil, nil
}

// receive reads the body of a request into what the server saw of it.
func (c *conn) receive(q *request, body io.Reader, seen *history.Request) error {
	if strings.EqualFold(q.Get("Expect"), "100-continue") {
		if _, err := io.WriteString(c, "HTTP/1.1 100 Continue\r\n\r\n"); err != nil {
			return err
		}
	}
	var err error
	seen.BodyLen, seen.BodySum, err = digest(body)
	return err
}

// A digester is what it takes to read a body to its end.
type digester struct {
	sum hash.Hash
	buf [32 << 10]byte
}

var digesters = sync.Pool{New: func() any { return &digester{sum: sha256.New()} }}

// digest reads a body to its end.
func digest(r io.Reader) (n int64, sum string, err error) {
	d := digesters.Get().(*digester)
	defer digesters.Put(d)
	d.sum.Reset()
	n, err = io.CopyBuffer(struct{ io.Writer }{d.sum}, io.LimitReader(r, MaxBodyBytes), d.buf[:])
	if n > 0 {
		sum = hex.EncodeToString(d.sum.Sum(nil))
	}
	return n, sum, err
}

// A conn is a connection of a peer with what is known of it.
type conn struct {
	net.Conn
	r           http1.Reader
	from, local string
	json, out   []byte // the response under way; kept for the next one
}

// Sizes of a connection's buffers, in bytes.
const (
	readBufferBytes = 8 << 10
	maxKeptBytes    = 64 << 10 // a larger response gives its memory back
)

func (c *conn) release() {
	if cap(c.out) > maxKeptBytes {
		c.out = nil
	}
	if cap(c.json) > maxKeptBytes {
		c.json = nil
	}
}

// tcp is the socket below, for what net.Conn has no word for; nil when there is
// none.
func (c *conn) tcp() *net.TCPConn {
	inner := c.Conn
	for {
		switch x := inner.(type) {
		case *net.TCPConn:
			return x
		case interface{ NetConn() net.Conn }:
			inner = x.NetConn()
		default:
			return nil
		}
	}
}

// bodySent says whether the response has a body.
func bodySent(q *request, status int) bool { return q.method != http.MethodHead && bodyAllowed(status) }

func bodyAllowed(status int) bool {
	return status != http.StatusNoContent && status != http.StatusNotModified
}
