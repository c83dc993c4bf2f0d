package http1

import (
	"bufio"
	"errors"
	"fmt"
	"strings"

	"github.com/unilb/unilb/sim/history"
)

// Limits of a head.
const (
	MaxHeadBytes = 128 << 10 // first line and header lines, or the trailers of a body
	MaxFields    = 500       // header lines
)

// ErrMalformed is wrapped by every error that says that something is not
// HTTP/1.1. Errors of the connection are passed on as they are; io.EOF and
// io.ErrUnexpectedEOF mean that it ended.
var ErrMalformed = errors.New("not HTTP/1.1")

// A Head is the first line of a message and its header lines, as they arrived.
// All strings of a head share their memory: clone what is to be kept without the
// rest.
type Head struct {
	First  string
	Fields Fields
}

// Fields are header lines in order.
type Fields []history.Field

// Get is the value of the first line of that name, "" without one. Names compare
// without regard to case.
func (fs Fields) Get(name string) string {
	for i := range fs {
		if len(fs[i].Name) == len(name) && strings.EqualFold(fs[i].Name, name) {
			return fs[i].Value
		}
	}
	return ""
}

// Values are the values of all lines of that name.
func (fs Fields) Values(name string) []string {
	var vs []string
	for i := range fs {
		if strings.EqualFold(fs[i].Name, name) {
			vs = append(vs, fs[i].Value)
		}
	}
	return vs
}

// Lists says whether a line of that name holds the token in its comma-separated
// list.
func (fs Fields) Lists(name, token string) bool {
	for i := range fs {
		if !strings.EqualFold(fs[i].Name, name) {
			continue
		}
		for t := range strings.SplitSeq(fs[i].Value, ",") {
			if strings.EqualFold(strings.Trim(t, " \t"), token) {
				return true
			}
		}
	}
	return false
}

// A Reader reads the messages of one connection.
type Reader struct {
	*bufio.Reader
	raw []byte // the head under way; kept, so that a head costs two allocations
}

// Head reads a head up to its empty line. io.EOF means that the connection ended
// before it; io.ErrUnexpectedEOF, within it. One empty line before it is passed
// over (RFC 9112 2.2).
func (r *Reader) Head() (Head, error) {
	raw, lines, err := r.lines()
	if err != nil {
		return Head{}, err
	}
	text := string(raw)
	first, text := cutLine(text)
	if first == "" {
		return Head{}, fmt.Errorf("%w: a head without a first line", ErrMalformed)
	}
	if lines == 1 {
		return Head{First: first}, nil
	}
	h := Head{First: first, Fields: make(Fields, 0, lines-1)}
	for text != "" {
		var line string
		line, text = cutLine(text)
		name, value, ok := strings.Cut(line, ":")
		if !ok || name == "" || strings.ContainsAny(name, " \t") {
			return Head{}, fmt.Errorf("%w: header line %q", ErrMalformed, line)
		}
		h.Fields = append(h.Fields, history.Field{Name: name, Value: strings.Trim(value, " \t")})
	}
	return h, nil
}

// lines collects the lines of a head, the empty one excluded, and counts them.
// They are valid until the next call.
func (r *Reader) lines() ([]byte, int, error) {
	r.raw = r.raw[:0]
	count, begin := 0, 0 // begin of the line under way
	skipped := false
	for {
		part, err := r.ReadSlice('\n')
		r.raw = append(r.raw, part...)
		switch {
		case len(r.raw) > MaxHeadBytes:
			return nil, 0, fmt.Errorf("%w: a head longer than %d bytes", ErrMalformed, MaxHeadBytes)
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case err != nil:
			return nil, 0, within(err, len(r.raw) > 0)
		}
		if !isEmptyLine(r.raw[begin:]) {
			count, begin = count+1, len(r.raw)
			if count > MaxFields+1 {
				return nil, 0, fmt.Errorf("%w: more than %d header lines", ErrMalformed, MaxFields)
			}
			continue
		}
		r.raw = r.raw[:begin]
		if count > 0 || skipped {
			return r.raw, count, nil
		}
		skipped = true
	}
}

// cutLine takes the first line off and drops its end.
func cutLine(s string) (line, rest string) {
	line, rest, _ = strings.Cut(s, "\n")
	return strings.TrimSuffix(line, "\r"), rest
}
