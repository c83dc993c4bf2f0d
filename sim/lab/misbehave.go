package lab

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"

	"github.com/unilb/unilb/sim/echo"
	"github.com/unilb/unilb/sim/fault"
)

// told is what a fault has told a node's backend, and how the backend was before.
type told struct {
	to        fault.Misbehaviour
	behaviour echo.Behaviour
	health    echo.Health
}

// Misbehaving implements fault.Echo.
func (m machine) Misbehaving() (fault.Misbehaviour, bool) {
	m.n.mu.Lock()
	defer m.n.mu.Unlock()
	return m.n.told.to, m.n.echo != nil
}

// Misbehave implements fault.Echo.
func (m machine) Misbehave(to fault.Misbehaviour) error {
	m.n.mu.Lock()
	defer m.n.mu.Unlock()
	e, t := m.n.echo, &m.n.told
	if e == nil {
		return fmt.Errorf("no backend on %s", m.Ref())
	}
	if to == t.to {
		return nil
	}
	if t.to.Do == "" { // it behaves as it was set up to
		t.behaviour, t.health = e.Behaviour(), e.Health()
	}
	b, h, err := behaviourOf(to, t.behaviour, t.health)
	if err != nil {
		return err
	}
	e.SetBehaviour(b)
	e.SetHealth(h)
	t.to = to
	return nil
}

// How wrong an answer is.
const (
	garbageBytes = 300
	missingBytes = 100 // that the head announces and the body does not have
)

// behaviourOf is what a backend does that is told so and did that before.
func behaviourOf(to fault.Misbehaviour, b echo.Behaviour, h echo.Health) (echo.Behaviour, echo.Health, error) {
	switch to.Do {
	case "":
	case fault.Slow:
		b.Delay = to.Delay
	case fault.WrongStatus:
		b.Status = to.Status
	case fault.ResetHead:
		b.Reset = echo.ResetHead
	case fault.ResetBody:
		b.Reset = echo.ResetBody
	case fault.Hang:
		b.Hang = true
	case fault.Garbage:
		b.Garbage = garbageBytes
	case fault.WrongLength:
		b.LengthOff = missingBytes
	case fault.Drip:
		b.DripBytes, b.DripEvery = 1, to.Delay
	case fault.Sick:
		h = echo.Sick
	default:
		return b, h, fmt.Errorf("an echo backend cannot %s", to.Do)
	}
	return b, h, nil
}

// healthPath is asked for proofs: a request for it without an op id is a probe,
// which no evidence records.
const healthPath = "/health"

// TryBackend implements fault.Echo.
func (m machine) TryBackend(ctx context.Context, patience time.Duration) fault.Answer {
	start := time.Now()
	var a fault.Answer
	at := netip.AddrPortFrom(m.n.plan.Address(), m.n.plan.Echo[0])
	c, err := m.n.Dial(ctx, "tcp4", at)
	if err != nil {
		return fault.Answer{Wrong: fault.Refused, Err: err.Error()}
	}
	defer c.Close()
	_ = c.SetDeadline(start.Add(patience)) // of an open connection
	if _, err = fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", healthPath, at); err != nil {
		return fault.Answer{Wrong: wrong(err), Err: err.Error()}
	}
	r, err := http.ReadResponse(bufio.NewReader(c), nil)
	a.After = time.Since(start)
	if err == nil {
		a.Status = r.StatusCode
		_, err = io.Copy(io.Discard, r.Body)
		r.Body.Close()
	}
	if a.Took = time.Since(start); err != nil {
		a.Wrong, a.Err = wrong(err), err.Error()
	}
	return a
}

// wrong is what a client can say about a bad answer.
func wrong(err error) fault.Wrong {
	var ne net.Error
	switch {
	case errors.As(err, &ne) && ne.Timeout():
		return fault.Silence
	case errors.Is(err, unix.ECONNRESET), errors.Is(err, unix.EPIPE):
		return fault.Reset
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return fault.Short
	default:
		return fault.Malformed
	}
}
