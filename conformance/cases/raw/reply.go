package raw

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/unilb/unilb/sim/history"
	"github.com/unilb/unilb/sim/http1"
	"github.com/unilb/unilb/sim/traffic"
)

// Limits of a reply.
const (
	maxInterim   = 1000    // answers 1xx before the last
	maxBodyBytes = 8 << 20 // of one reply
)

// A Reply is a complete answer. Header, Status, Body and Close are those of
// traffic.Reply.
type Reply struct {
	traffic.Reply
	Proto   string
	Interim []int // statuses of the answers 1xx before it
	Chunked bool
	Sized   bool // it tells its length, or has no body
}

// reply reads one answer to a request of the method.
func (c *Conn) reply(method string) (*Reply, []int, error) {
	var interim []int
	for len(interim) <= maxInterim {
		h, err := c.r.Head()
		if err != nil {
			return nil, interim, err
		}
		r := &Reply{Interim: interim}
		r.Header = h.Fields
		if err := r.status(h.First); err != nil {
			return nil, interim, err
		}
		if r.Status < 200 && r.Status != http.StatusSwitchingProtocols {
			interim = append(interim, r.Status)
			if c.OnInterim != nil {
				c.OnInterim(r.Status)
			}
			continue
		}
		return r, interim, c.body(r, method)
	}
	return nil, interim, fmt.Errorf("%w: more than %d answers 1xx", http1.ErrMalformed, maxInterim)
}

func (r *Reply) status(line string) (err error) {
	proto, rest, _ := strings.Cut(line, " ")
	code, _, _ := strings.Cut(rest, " ")
	r.Proto = proto
	r.Status, err = strconv.Atoi(code)
	if proto != "HTTP/1.1" && proto != "HTTP/1.0" || len(code) != 3 || err != nil || r.Status < 100 {
		return fmt.Errorf("%w: status line %.100q", http1.ErrMalformed, line)
	}
	return nil
}

func (c *Conn) body(r *Reply, method string) error {
	f, err := r.Header.Framing()
	if err != nil {
		return err
	}
	r.Chunked, r.Sized = f.Chunked, f.Sized
	r.Close = r.Header.Lists("Connection", "close") || r.Proto == "HTTP/1.0" && !r.Header.Lists("Connection", "keep-alive")
	var body io.Reader
	switch {
	case r.Status == http.StatusSwitchingProtocols:
		return nil
	case method == http.MethodHead || r.Status == http.StatusNoContent || r.Status == http.StatusNotModified:
		r.Sized = true
		return nil
	case f.Chunked:
		body = c.r.Chunked()
	case f.Sized:
		body = c.r.Sized(f.Length)
	default:
		r.Close, body = true, c.r.Reader // up to the end of the connection
	}
	r.Body, err = io.ReadAll(io.LimitReader(body, maxBodyBytes))
	if err != nil {
		return err
	}
	r.Length = int64(len(r.Body))
	if r.Length > 0 {
		r.Sum = history.Sum(sha256.Sum256(r.Body))
	}
	return nil
}

// ended says whether an error means that the peer ended the connection.
func ended(err error) bool {
	_, class := traffic.Classify(err, true)
	return errors.Is(err, io.EOF) || class == history.ClassEOF || class == history.ClassReset
}
