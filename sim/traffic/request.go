package traffic

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
	"strconv"

	"github.com/unilb/unilb/sim/echo"
	"github.com/unilb/unilb/sim/history"
)

// A Request is what a client sends. The zero value is GET / without a body.
type Request struct {
	Method string // GET when empty
	Target string // "/" when empty; sent as it is
	Host   string // the address dialled when empty
	Header []history.Field
	Body   []byte
	// Chunked sends the body in chunks of at most 16 KiB instead of announcing
	// its length.
	Chunked bool
}

// chunkBytes is the largest chunk that a Request is sent in.
const chunkBytes = 16 << 10

// With returns the request with one more header line.
func (r Request) With(name, value string) Request {
	r.Header = append(r.Header[:len(r.Header):len(r.Header)], history.Field{Name: name, Value: value})
	return r
}

// prepared is a request with nothing left out, and the digest of its body.
type prepared struct {
	Request
	sum string
}

// prepare fills in what a request left out.
func (r Request) prepare(to string) prepared {
	if r.Method == "" {
		r.Method = http.MethodGet
	}
	if r.Target == "" {
		r.Target = "/"
	}
	if r.Host == "" {
		r.Host = to
	}
	p := prepared{Request: r}
	if len(r.Body) > 0 {
		sum := sha256.Sum256(r.Body)
		p.sum = hex.EncodeToString(sum[:])
	}
	return p
}

// append appends the request as it goes onto the connection.
func (p prepared) append(b []byte, id string, last bool) []byte {
	b = append(append(append(append(b, p.Method...), ' '), p.Target...), " HTTP/1.1"...)
	b = appendLine(b, "Host", p.Host)
	b = appendLine(b, echo.HeaderOpID, id)
	for i := range p.Header {
		b = appendLine(b, p.Header[i].Name, p.Header[i].Value)
	}
	switch {
	case p.Chunked:
		b = appendLine(b, "Transfer-Encoding", "chunked")
	case len(p.Body) > 0 || p.Method == http.MethodPost || p.Method == http.MethodPut:
		b = appendLine(b, "Content-Length", strconv.Itoa(len(p.Body)))
	}
	if last {
		b = appendLine(b, "Connection", "close")
	}
	b = append(b, "\r\n\r\n"...)
	if !p.Chunked {
		return append(b, p.Body...)
	}
	for part := range slices.Chunk(p.Body, chunkBytes) {
		b = append(strconv.AppendInt(b, int64(len(part)), 16), "\r\n"...)
		b = append(append(b, part...), "\r\n"...)
	}
	return append(b, "0\r\n\r\n"...)
}

// appendLine ends the line before and appends a header line without its end.
func appendLine(b []byte, name, value string) []byte {
	b = append(append(b, "\r\n"...), name...)
	return append(append(b, ": "...), value...)
}

// record is what the history says of the request.
func (p prepared) record(headers bool) history.Request {
	h := history.Request{Method: p.Method, Target: p.Target, Host: p.Host, BodyLen: int64(len(p.Body)), BodySum: p.sum}
	if headers {
		h.Header = p.Header
	}
	return h
}
