package labenv

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/conformance/suite"
	"github.com/unilb/unilb/sim/sandbox"
)

// otherOrders is how long a worker may take over an order that is not a case. Labs,
// loads and questions have limits of their own far below it.
const otherOrders = 5 * time.Minute

// limit is how long a worker may take over an order: only one that is stuck gets there.
func (o order) limit() time.Duration {
	if o.Case == nil {
		return otherOrders
	}
	c, ok := caseOf(o.Case.ID)
	if !ok {
		return otherOrders
	}
	// A gateway that speaks again has the case run twice, the first time shortly.
	return suite.Longest(c) + suite.Longest(spec.Case{Timeout: muteLimit}) + 4*reviveTimeout
}

// A hand is a worker as the process that leads the run sees it. It is used by one
// goroutine at a time.
type hand struct {
	box     *sandbox.Box
	conn    *os.File
	replies *json.Decoder
	lines   func(string)
	limit   func(order) time.Duration
	lost    error // why it takes no orders any more
	closed  bool  // it was told to end
}

// startHand starts this program again as a worker, inside a sandbox of its own.
// The error wraps *sandbox.Unavailable when the machine cannot.
func startHand(lines func(string)) (*hand, error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("make socket of a worker: %w", err)
	}
	near, far := os.NewFile(uintptr(fds[0]), "worker"), os.NewFile(uintptr(fds[1]), "orders")
	defer far.Close()
	box, err := sandbox.Start(sandbox.Options{Args: []string{WorkCommand}, Files: []*os.File{far}})
	if err != nil {
		return nil, errors.Join(err, near.Close())
	}
	return &hand{box: box, conn: near, replies: json.NewDecoder(bufio.NewReader(near)), lines: lines, limit: order.limit}, nil
}

// do gives an order and waits for its reply. When ctx ends the worker is told, and
// still replies. An error means that the worker is lost.
func (h *hand) do(ctx context.Context, o order) (_ reply, err error) {
	if h.lost != nil {
		return reply{}, h.lost
	}
	stop := context.AfterFunc(ctx, func() { _ = h.box.Signal(unix.SIGTERM) }) // it may have ended by itself
	defer stop()
	limit := h.limit(o)
	stuck := time.AfterFunc(limit, func() { _ = h.box.Kill() })
	defer func() {
		if !stuck.Stop() && h.lost != nil {
			h.lost = fmt.Errorf("an order was not done within %s: %w", limit, h.lost)
			err = h.lost
		}
	}()
	if err := json.NewEncoder(h.conn).Encode(o); err != nil {
		return reply{}, h.lose(err)
	}
	for {
		var r reply
		if err := h.replies.Decode(&r); err != nil {
			return reply{}, h.lose(err)
		}
		if r.Line == "" {
			return r, nil
		}
		h.lines(r.Line)
	}
}

// endsWithin is how long a worker whose socket has ended may take to end as well: its
// exit code says more than that of a kill.
const endsWithin = 5 * time.Second

// lose notes that the worker is gone, and how it ended.
func (h *hand) lose(err error) error {
	stuck := time.AfterFunc(endsWithin, func() { _ = h.box.Kill() }) // its end of the socket is gone: it cannot be told anything
	defer stuck.Stop()
	code, _ := h.box.Wait()
	if errors.Is(err, io.EOF) {
		h.lost = fmt.Errorf("the process that ran the cases ended: exit code %d", code)
	} else {
		h.lost = fmt.Errorf("the process that ran the cases is lost: %w (exit code %d)", err, code)
	}
	return h.lost
}

// close ends the worker and everything that it started; why is what later orders
// get for an answer.
func (h *hand) close(why error) {
	h.closed = true
	_ = h.conn.Close() // which tells it that there will be no more orders
	if h.lost != nil {
		return
	}
	h.lost = why
	stuck := time.AfterFunc(downTimeout, func() { _ = h.box.Kill() })
	defer stuck.Stop()
	_, _ = h.box.Wait() // what it found was said
}
