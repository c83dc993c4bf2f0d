package traffic

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/echo"
	"github.com/unilb/unilb/sim/history"
	"github.com/unilb/unilb/sim/http1"
	"github.com/unilb/unilb/topology"
)

// wireTimeout bounds an exchange in which the case plays the client.
const wireTimeout = 15 * time.Second

// A wire is one exchange on a connection of its own, of which the case writes and
// reads each part itself. It is an operation of the history, as any other.
type wire struct {
	net.Conn
	r   http1.Reader
	t   *spec.T
	op  history.Op
	err error
}

// begin connects to the first gateway and sends the head of a request. The wire
// ends, and is recorded, with the case.
func begin(ctx context.Context, t *spec.T, method string, lines ...string) *wire {
	client, to, rec := t.Env().Clients()[0], t.Env().Gateways()[0].Data, t.Env().Recorder()
	c, err := client.Dialer.Dial(ctx, "tcp", to)
	if err != nil {
		t.Fatalf("connect to %s: %v", to, err)
	}
	_ = c.SetDeadline(time.Now().Add(wireTimeout)) // fails only on a dead connection
	prefix, _ := rec.Reserve(t.Name("wire"))
	w := &wire{Conn: c, r: http1.Reader{Reader: bufio.NewReader(c)}, t: t, op: history.Op{
		ID: prefix + "-1", Stream: t.Name("wire"), Client: client.Ref, Kind: "http", To: to.String(), From: c.LocalAddr().String(),
		Intended: rec.Now(), Sent: rec.Now(), Request: history.Request{Method: method, Target: "/", Host: t.Host()}, Outcome: history.Info,
	}}
	t.Cleanup(func(context.Context) error {
		if w.op.Returned = rec.Now(); w.err != nil {
			w.op.Error = w.err.Error()
		}
		rec.Op(w.op)
		_ = c.Close() // nothing of it is needed any more
		return nil
	})
	w.send(method + " / HTTP/1.1\r\nHost: " + t.Host() + "\r\n" + echo.HeaderOpID + ": " + w.op.ID + "\r\n" + strings.Join(append(lines, ""), "\r\n") + "\r\n")
	return w
}

// send writes a part of the request; whoever ends the connection early is found
// out by what comes back.
func (w *wire) send(text string) { _, _ = io.WriteString(w, text) }

// answer reads the head of an answer, those of class 1xx included. Not getting
// one is a failure and ends the case.
func (w *wire) answer() (status int, fields http1.Fields) {
	h, err := w.r.Head()
	if err != nil {
		w.err = err
		w.t.Fatalf("no answer: %v (op %s)", err, w.op.ID)
	}
	_, code, _ := words(h.First)
	if status, err = strconv.Atoi(code); err != nil {
		w.t.Fatalf("not an answer: %q (op %s)", h.First, w.op.ID)
	}
	if status >= 200 {
		w.op.Response = &history.Response{Status: status, Backend: topology.Ref(h.Fields.Get(echo.HeaderBackend)), Header: h.Fields}
		w.op.Outcome = history.OK
	}
	return status, h.Fields
}

// body is the rest of the answer with those fields, of a method other than HEAD.
func (w *wire) body(fields http1.Fields) io.Reader {
	f, err := fields.Framing()
	switch {
	case err != nil:
		w.t.Fatalf("framing of the answer: %v (op %s)", err, w.op.ID)
	case f.Chunked:
		return w.r.Chunked()
	case f.Sized:
		return w.r.Sized(f.Length)
	}
	return w.r.Reader
}

// expect reads so much of a body and compares.
func expect(body io.Reader, text string) error {
	b := make([]byte, len(text))
	n, err := io.ReadFull(body, b)
	if err == nil && string(b) != text {
		err = errors.New("something else came")
	}
	if err != nil {
		return fmt.Errorf("got %.100q, want %.100q: %w", b[:n], text, err)
	}
	return nil
}

// words takes the first line of a message apart.
func words(line string) (a, b, c string) {
	a, rest, _ := strings.Cut(line, " ")
	b, c, _ = strings.Cut(rest, " ")
	return a, b, c
}
