package http1

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http/httputil"
	"strconv"
	"strings"
)

// A Framing says how long a body is.
type Framing struct {
	Chunked bool
	Length  int64 // announced, when Sized
	Sized   bool  // a length is announced
}

// Framing reads how the body is framed. More than one reading is ErrMalformed
// (RFC 9112 6.3): a message that two readers understand differently is an attack
// or a bug.
func (fs Fields) Framing() (Framing, error) {
	te, cl := fs.Values("Transfer-Encoding"), fs.Values("Content-Length")
	switch {
	case len(te) > 0:
		if len(te) != 1 || !strings.EqualFold(te[0], "chunked") || len(cl) > 0 {
			return Framing{}, fmt.Errorf("%w: ambiguous framing: transfer encoding %q, content length %q", ErrMalformed, te, cl)
		}
		return Framing{Chunked: true}, nil
	case len(cl) == 0:
		return Framing{}, nil
	}
	n, err := strconv.ParseUint(cl[0], 10, 63)
	if len(cl) != 1 || err != nil {
		return Framing{}, fmt.Errorf("%w: content length %q", ErrMalformed, cl)
	}
	return Framing{Length: int64(n), Sized: true}, nil
}

// Sized is the body of an announced length. Its end before that is
// io.ErrUnexpectedEOF.
func (r *Reader) Sized(n int64) io.Reader { return &sized{r: r, left: n} }

type sized struct {
	r    io.Reader
	left int64
}

func (e *sized) Read(p []byte) (int, error) {
	if e.left == 0 {
		return 0, io.EOF
	}
	n, err := e.r.Read(p[:min(int64(len(p)), e.left)])
	e.left -= int64(n)
	return n, within(err, e.left > 0)
}

// Chunked is a chunked body; its trailers are read and dropped. Its end before
// the last of them is io.ErrUnexpectedEOF.
func (r *Reader) Chunked() io.Reader {
	return &chunked{r: r, chunks: httputil.NewChunkedReader(r.Reader)}
}

type chunked struct {
	r      *Reader
	chunks io.Reader
	done   bool
}

func (c *chunked) Read(p []byte) (int, error) {
	if c.done {
		return 0, io.EOF
	}
	n, err := c.chunks.Read(p)
	if errors.Is(err, io.EOF) {
		if err = c.trailers(); err == nil {
			c.done, err = true, io.EOF
		}
		return n, err
	}
	var ofConn net.Error
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.As(err, &ofConn) {
		err = fmt.Errorf("%w: %w", ErrMalformed, err) // the library has no type for what it says of the bytes
	}
	return n, err
}

func (c *chunked) trailers() error {
	for budget := MaxHeadBytes; ; {
		line, err := c.r.ReadSlice('\n')
		if budget -= len(line); budget < 0 || errors.Is(err, bufio.ErrBufferFull) {
			return fmt.Errorf("%w: trailers are too long", ErrMalformed)
		}
		if err != nil {
			return within(err, true)
		}
		if isEmptyLine(line) {
			return nil
		}
	}
}

func isEmptyLine(b []byte) bool { return string(b) == "\n" || string(b) == "\r\n" }

// within turns the end of a connection into io.ErrUnexpectedEOF when it came in
// the middle of something.
func within(err error, middle bool) error {
	if middle && errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
