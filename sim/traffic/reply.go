package traffic

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/unilb/unilb/sim/echo"
	"github.com/unilb/unilb/sim/history"
	"github.com/unilb/unilb/sim/http1"
)

// A Reply is a complete response.
type Reply struct {
	Status int
	Header http1.Fields // in the order and spelling that came
	Body   []byte       // at most Options.KeepBody bytes
	Length int64        // of the whole body
	Sum    string       // of the whole body (see history.Sum); empty without one
	Close  bool         // the server ends the connection after it
}

// FromBackend says whether an echo backend wrote the response, as opposed to
// the gateway itself.
func (r *Reply) FromBackend() bool { return r.Header.Get(echo.HeaderBackend) != "" }

// maxInformational is the most responses of class 1xx before the real one.
const maxInformational = 16

// read reads one response. Errors are those of http1 and of the connection.
func (c *conn) read(method string, keep int) (*Reply, error) {
	for range maxInformational {
		h, err := c.r.Head()
		if err != nil {
			return nil, err
		}
		r := &Reply{Header: h.Fields}
		proto, err := r.readStatus(h.First)
		if err != nil {
			return nil, err
		}
		if r.Status >= 200 || r.Status == http.StatusSwitchingProtocols {
			return r, c.readBody(r, method, proto, keep)
		}
	}
	return nil, fmt.Errorf("%w: %d informational responses and no other", http1.ErrMalformed, maxInformational)
}

// readStatus takes a status line apart.
func (r *Reply) readStatus(line string) (proto string, err error) {
	proto, rest, _ := strings.Cut(line, " ")
	code, _, _ := strings.Cut(rest, " ")
	r.Status, err = strconv.Atoi(code)
	if !strings.HasPrefix(proto, "HTTP/1.") || len(code) != 3 || err != nil || r.Status < 100 {
		return "", fmt.Errorf("%w: status line %.100q", http1.ErrMalformed, line)
	}
	return proto, nil
}

// readBody reads the body to its end, wherever the framing of RFC 9112 6.3 says
// that it is.
func (c *conn) readBody(r *Reply, method, proto string, keep int) error {
	f, err := r.Header.Framing()
	if err != nil {
		return err
	}
	r.Close = r.Header.Lists("Connection", "close") || proto == "HTTP/1.0" && !r.Header.Lists("Connection", "keep-alive")
	var body io.Reader
	switch {
	case r.Status == http.StatusSwitchingProtocols:
		r.Close = true // what follows is not HTTP
		return nil
	case method == http.MethodHead || r.Status == http.StatusNoContent || r.Status == http.StatusNotModified:
		return nil
	case f.Chunked:
		body = c.r.Chunked()
	case !f.Sized:
		r.Close, body = true, c.r.Reader // up to the end of the connection
	case f.Length == 0:
		return nil
	default:
		body = c.r.Sized(f.Length)
	}
	return r.take(body, keep)
}

// A taker is what it takes to read a body.
type taker struct {
	sum hash.Hash
	buf [32 << 10]byte
}

var takers = sync.Pool{New: func() any { return &taker{sum: sha256.New()} }}

// take reads a body to its end, and keeps the beginning.
func (r *Reply) take(body io.Reader, keep int) error {
	t := takers.Get().(*taker)
	defer takers.Put(t)
	t.sum.Reset()
	for {
		n, err := body.Read(t.buf[:])
		part := t.buf[:n]
		t.sum.Write(part)
		r.Length += int64(n)
		r.Body = append(r.Body, part[:min(n, keep-len(r.Body))]...)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
	}
	if r.Length > 0 {
		r.Sum = history.Sum([sha256.Size]byte(t.sum.Sum(nil)))
	}
	return nil
}
