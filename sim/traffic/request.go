package traffic

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strings"

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

func (r Request) filled(to string) Request {
	if r.Method == "" {
		r.Method = http.MethodGet
	}
	if r.Target == "" {
		r.Target = "/"
	}
	if r.Host == "" {
		r.Host = to
	}
	return r
}

// bytes is the request as it goes onto the connection.
func (r Request) bytes(id string, last bool) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: %s\r\n%s: %s\r\n", r.Method, r.Target, r.Host, echo.HeaderOpID, id)
	for _, f := range r.Header {
		fmt.Fprintf(&b, "%s: %s\r\n", f.Name, f.Value)
	}
	switch {
	case r.Chunked:
		b.WriteString("Transfer-Encoding: chunked\r\n")
	case len(r.Body) > 0 || r.Method == http.MethodPost || r.Method == http.MethodPut:
		fmt.Fprintf(&b, "Content-Length: %d\r\n", len(r.Body))
	}
	if last {
		b.WriteString("Connection: close\r\n")
	}
	b.WriteString("\r\n")
	if !r.Chunked {
		b.Write(r.Body)
		return b.Bytes()
	}
	for part := range slices.Chunk(r.Body, chunkBytes) {
		fmt.Fprintf(&b, "%x\r\n%s\r\n", len(part), part)
	}
	b.WriteString("0\r\n\r\n")
	return b.Bytes()
}

func (r Request) record() history.Request {
	h := history.Request{Method: r.Method, Target: r.Target, Host: r.Host, Header: r.Header, BodyLen: int64(len(r.Body))}
	if len(r.Body) > 0 {
		sum := sha256.Sum256(r.Body)
		h.BodySum = hex.EncodeToString(sum[:])
	}
	return h
}

// A Reply is a complete response.
type Reply struct {
	Status int
	Header http.Header
	Body   []byte // at most Options.KeepBody bytes
	Length int64  // of the whole body
	Sum    string // of the whole body (see history.Sum); empty without one
	Close  bool   // the server ends the connection after it
}

// FromBackend says whether an echo backend wrote the response, as opposed to
// the gateway itself.
func (r *Reply) FromBackend() bool { return r.Header.Get(echo.HeaderBackend) != "" }

func (r *Reply) outcome(id string) (history.Outcome, history.ErrClass, string) {
	if r.FromBackend() {
		if op := r.Header.Get(echo.HeaderOp); op != id {
			return history.Info, history.ClassProtocol, fmt.Sprintf("the answer belongs to request %q", op)
		}
		switch {
		case r.Status >= 500:
			return history.OK, history.Class5xxBackend, ""
		case r.Status >= 400:
			return history.OK, history.Class4xxBackend, ""
		}
		return history.OK, history.ClassNone, ""
	}
	switch {
	case r.Status >= 500: // a 502 or 504 may follow a request that a backend did see
		return history.Info, history.Class5xxGateway, strings.TrimSpace(http.StatusText(r.Status))
	case r.Status >= 400:
		return history.Fail, history.Class4xxGateway, strings.TrimSpace(http.StatusText(r.Status))
	}
	return history.Info, history.ClassOddGateway, "answer without a backend's mark"
}
