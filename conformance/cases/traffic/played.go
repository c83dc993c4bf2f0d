package traffic

import (
	"bufio"
	"context"
	"io"
	"net"
	"sync"
	"time"

	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/echo"
	"github.com/unilb/unilb/sim/history"
	"github.com/unilb/unilb/sim/http1"
)

// playedTimeout bounds every connection to a backend that a case plays.
const playedTimeout = 30 * time.Second

// play answers every connection to a bare listener with the script, each in a
// goroutine of its own, until the case ends. It is for what an echo backend
// cannot be asked for.
func play(ctx context.Context, t *spec.T, script func(*actor)) spec.Backend {
	l, b, err := t.Env().Listen(ctx, "")
	if err != nil {
		t.Brokenf("listen: %v", err)
	}
	var (
		mu      sync.Mutex
		conns   []net.Conn
		running sync.WaitGroup
	)
	running.Go(func() {
		for n := 1; ; n++ {
			c, err := l.Accept()
			if err != nil {
				return // closed below
			}
			mu.Lock()
			conns = append(conns, c)
			mu.Unlock()
			_ = c.SetDeadline(time.Now().Add(playedTimeout)) // fails only on a dead connection
			running.Go(func() {
				defer c.Close()
				script(&actor{Conn: c, N: n, t: t, b: b, r: http1.Reader{Reader: bufio.NewReader(c)}})
			})
		}
	})
	t.Cleanup(func(context.Context) error {
		err := l.Close()
		mu.Lock()
		for _, c := range conns {
			_ = c.Close() // most have ended
		}
		mu.Unlock()
		running.Wait()
		return err
	})
	return b
}

// An actor plays a backend on one connection.
type actor struct {
	net.Conn
	N int // of the connection, from 1
	t *spec.T
	b spec.Backend
	r http1.Reader
}

// A heard request is one of which the head has come.
type heard struct {
	history.Request
	http1.Fields
	b  spec.Backend
	id string
}

// hear reads the head of a request and records its arrival; false: none comes.
func (a *actor) hear() (heard, bool) {
	h, err := a.r.Head()
	if err != nil {
		return heard{}, false
	}
	q := heard{Fields: h.Fields, b: a.b, id: h.Fields.Get(echo.HeaderOpID)}
	q.Method, q.Target, q.Proto = words(h.First)
	q.Host, q.Header = h.Fields.Get("Host"), h.Fields
	rec := a.t.Env().Recorder()
	rec.Arrival(history.Arrival{ID: q.id, Backend: a.b.Ref, From: a.RemoteAddr().String(), At: rec.Now(), Seen: q.Request})
	return q, true
}

// take reads a whole request; false: none comes.
func (a *actor) take() (heard, bool) {
	q, ok := a.hear()
	if !ok {
		return q, false
	}
	_, err := io.Copy(io.Discard, a.body(q))
	return q, err == nil
}

// body is the rest of a request.
func (a *actor) body(q heard) io.Reader {
	f, err := q.Framing()
	switch {
	case err != nil:
		return a.r.Sized(0)
	case f.Chunked:
		return a.r.Chunked()
	}
	return a.r.Sized(f.Length)
}

// say writes, and says whether that went well.
func (a *actor) say(text string) bool {
	_, err := io.WriteString(a, text)
	return err == nil
}

// head is the head of an answer to the request, marked as a backend's.
func (q heard) head(status string, lines ...string) string {
	s := "HTTP/1.1 " + status + "\r\n" + echo.HeaderBackend + ": " + string(q.b.Ref) + "\r\n" + echo.HeaderOp + ": " + q.id + "\r\n"
	for _, l := range lines {
		s += l + "\r\n"
	}
	return s + "\r\n"
}
