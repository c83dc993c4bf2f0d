package echo

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http/httputil"
	"strconv"
	"strings"

	"github.com/unilb/unilb/sim/history"
)

// head is a request head as it arrived.
type head struct {
	method, target, proto string
	fields                []history.Field
}

var errHead = errors.New("malformed request head")

// get is the value of the first field of that name; names compare without
// regard to case.
func (h *head) get(name string) string {
	for _, f := range h.fields {
		if strings.EqualFold(f.Name, name) {
			return f.Value
		}
	}
	return ""
}

func (h *head) all(name string) []string {
	var vs []string
	for _, f := range h.fields {
		if strings.EqualFold(f.Name, name) {
			vs = append(vs, f.Value)
		}
	}
	return vs
}

// close says whether the connection ends after this request.
func (h *head) close() bool {
	for _, v := range h.all("Connection") {
		for t := range strings.SplitSeq(v, ",") {
			if strings.EqualFold(strings.TrimSpace(t), "close") {
				return true
			}
		}
	}
	return h.proto != "HTTP/1.1"
}

// readHead reads a request line and header lines. It is lenient where that
// helps to see what arrived (bare LF, any characters in values) and strict
// where two readings would be possible (no colon, folded lines).
func readHead(br *bufio.Reader) (*head, error) {
	budget := MaxHeadBytes
	line, err := readLine(br, &budget)
	if err == nil && line == "" { // RFC 9112 2.2: one empty line before a request is ignored
		line, err = readLine(br, &budget)
	}
	if err != nil {
		return nil, err
	}
	parts := strings.Split(line, " ")
	if len(parts) != 3 || parts[0] == "" || parts[1] == "" || !strings.HasPrefix(parts[2], "HTTP/1.") {
		return nil, fmt.Errorf("%w: request line %q", errHead, line)
	}
	h := &head{method: parts[0], target: parts[1], proto: parts[2]}
	for {
		line, err := readLine(br, &budget)
		if err != nil {
			return nil, err
		}
		if line == "" {
			return h, nil
		}
		name, value, ok := strings.Cut(line, ":")
		if !ok || name == "" || strings.ContainsAny(name, " \t") || len(h.fields) == MaxFields {
			return nil, fmt.Errorf("%w: header line %q", errHead, line)
		}
		h.fields = append(h.fields, history.Field{Name: name, Value: strings.Trim(value, " \t")})
	}
}

// readLine reads up to LF and takes its length off the budget.
func readLine(br *bufio.Reader, budget *int) (string, error) {
	var line []byte
	for {
		part, err := br.ReadSlice('\n')
		*budget -= len(part)
		if *budget < 0 {
			return "", fmt.Errorf("%w: longer than %d bytes", errHead, MaxHeadBytes)
		}
		line = append(line, part...)
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if err != nil {
			return "", err
		}
		return strings.TrimSuffix(strings.TrimSuffix(string(line), "\n"), "\r"), nil
	}
}

// body is the framed body of the request; nil when it has none.
func (h *head) body(br *bufio.Reader) (io.Reader, error) {
	if te := h.all("Transfer-Encoding"); len(te) > 0 {
		if len(te) != 1 || !strings.EqualFold(te[0], "chunked") || len(h.all("Content-Length")) > 0 {
			return nil, fmt.Errorf("%w: ambiguous framing %q", errHead, te)
		}
		return &chunked{br: br, r: httputil.NewChunkedReader(br)}, nil
	}
	cl := h.all("Content-Length")
	if len(cl) == 0 {
		return nil, nil
	}
	n, err := strconv.ParseUint(cl[0], 10, 63)
	if len(cl) != 1 || err != nil || n > MaxBodyBytes {
		return nil, fmt.Errorf("%w: content length %q", errHead, cl)
	}
	return &exactly{r: br, left: int64(n)}, nil
}

// exactly reads n bytes; fewer is an error.
type exactly struct {
	r    io.Reader
	left int64
}

func (e *exactly) Read(p []byte) (int, error) {
	if e.left == 0 {
		return 0, io.EOF
	}
	n, err := e.r.Read(p[:min(int64(len(p)), e.left)])
	e.left -= int64(n)
	if errors.Is(err, io.EOF) && e.left > 0 {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// chunked reads a chunked body with its trailers, which are dropped.
type chunked struct {
	br   *bufio.Reader
	r    io.Reader
	done bool
}

func (c *chunked) Read(p []byte) (int, error) {
	if c.done {
		return 0, io.EOF
	}
	n, err := c.r.Read(p)
	if !errors.Is(err, io.EOF) {
		return n, err
	}
	budget := MaxHeadBytes
	for {
		line, err := readLine(c.br, &budget)
		if err != nil {
			return n, io.ErrUnexpectedEOF
		}
		if line == "" {
			c.done = true
			return n, io.EOF
		}
	}
}

// digest reads a body to its end.
func digest(r io.Reader) (n int64, sum string, err error) {
	h := sha256.New()
	n, err = io.Copy(h, io.LimitReader(r, MaxBodyBytes))
	if n > 0 {
		sum = hex.EncodeToString(h.Sum(nil))
	}
	return n, sum, err
}
