package traffic

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/unilb/unilb/sim/history"
)

// conn is one client connection.
type conn struct {
	net.Conn
	br   *bufio.Reader
	id   uint64
	used int // requests carried so far
}

// roundTrip sends a request and reads the whole response.
func (c *conn) roundTrip(ctx context.Context, method string, wire []byte, keep int) (*Reply, error) {
	deadline, _ := ctx.Deadline() // the zero time means none
	if err := c.SetDeadline(deadline); err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { _ = c.SetDeadline(time.Unix(1, 0)) }) // wakes the read below
	defer stop()
	c.used++
	_, werr := c.Write(wire)
	// A server may answer and close before it has read everything, so the
	// answer is worth reading even when writing failed.
	r, err := c.read(method, keep)
	if err != nil {
		return nil, cmpErr(ctx, werr, err)
	}
	return r, nil
}

func cmpErr(ctx context.Context, werr, rerr error) error {
	if cause := ctx.Err(); cause != nil {
		return cause
	}
	if werr != nil {
		return werr
	}
	return rerr
}

// errTruncated is the orderly end of a connection before the response was
// complete.
var errTruncated = errors.New("connection ended before the response was complete")

type protocolError struct{ err error }

func (e *protocolError) Error() string { return "not an HTTP response: " + e.err.Error() }
func (e *protocolError) Unwrap() error { return e.err }

func (c *conn) read(method string, keep int) (*Reply, error) {
	var resp *http.Response
	for resp == nil || resp.StatusCode < 200 && resp.StatusCode != http.StatusSwitchingProtocols {
		var err error
		if resp, err = http.ReadResponse(c.br, &http.Request{Method: method}); err != nil {
			return nil, readError(err)
		}
	}
	defer resp.Body.Close()
	r := &Reply{Status: resp.StatusCode, Header: resp.Header, Close: resp.Close}
	var kept bytes.Buffer
	sum := sha256.New()
	body := io.TeeReader(resp.Body, sum)
	n, err := io.Copy(&kept, io.LimitReader(body, int64(keep)))
	if err == nil {
		var rest int64
		rest, err = io.Copy(io.Discard, body)
		n += rest
	}
	if err != nil {
		return nil, readError(err)
	}
	r.Body, r.Length = kept.Bytes(), n
	if n > 0 {
		r.Sum = history.Sum([sha256.Size]byte(sum.Sum(nil)))
	}
	return r, nil
}

func readError(err error) error {
	var ne net.Error
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return errTruncated
	case errors.As(err, &ne):
		return err
	}
	return &protocolError{err}
}

// stale says whether the server ended an idle connection, or sent something
// nobody asked for. Clients that keep connections look before they send;
// without looking, every drain would seem to lose requests.
func (c *conn) stale() bool {
	if c.br.Buffered() > 0 {
		return true
	}
	sc, ok := c.Conn.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return true
	}
	alive := false
	err = raw.Control(func(fd uintptr) {
		var one [1]byte
		_, _, rerr := unix.Recvfrom(int(fd), one[:], unix.MSG_PEEK|unix.MSG_DONTWAIT)
		alive = errors.Is(rerr, unix.EAGAIN) // silence is the only good answer
	})
	return err != nil || !alive
}

// classify names an error. dialled says whether a connection existed: before,
// nothing was sent and the request certainly did not happen.
func classify(err error, dialled bool) (history.Outcome, history.ErrClass) {
	outcome := history.Info
	if !dialled {
		outcome = history.Fail
	}
	var ne net.Error
	var pe *protocolError
	switch {
	case errors.Is(err, context.Canceled):
		return outcome, history.ClassCanceled
	case errors.Is(err, unix.ECONNREFUSED):
		return outcome, history.ClassRefused
	case errors.Is(err, unix.ECONNRESET), errors.Is(err, unix.EPIPE):
		return outcome, history.ClassReset
	case errors.Is(err, unix.EHOSTUNREACH), errors.Is(err, unix.ENETUNREACH):
		return outcome, history.ClassUnreachable
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &ne) && ne.Timeout():
		if !dialled {
			return outcome, history.ClassDialTimeout
		}
		return outcome, history.ClassTimeout
	case errors.Is(err, errTruncated):
		return outcome, history.ClassEOF
	case errors.As(err, &pe):
		return outcome, history.ClassProtocol
	}
	return outcome, history.ClassOther
}

func dial(ctx context.Context, d Dialer, to netip.AddrPort, id uint64) (*conn, error) {
	nc, err := d.Dial(ctx, "tcp", to)
	if err != nil {
		if ctx.Err() != nil {
			err = errors.Join(ctx.Err(), err)
		}
		return nil, fmt.Errorf("dial %s: %w", to, err)
	}
	return &conn{Conn: nc, br: bufio.NewReaderSize(nc, 8<<10), id: id}, nil
}
