package raw

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/echo"
	"github.com/unilb/unilb/sim/history"
)

// Limits of a Backend.
const (
	MaxBytes  = 8 << 20          // that arrive over one connection and are not yet read as requests
	idleLimit = 60 * time.Second // of a connection
)

// An Answer is what a backend does with a request.
type Answer struct {
	Bytes string          // written as they are; what follows an answer is not HTTP's business
	Wait  <-chan struct{} // before that; at most until the backend is closed
	Close bool            // after that
	// Then has the connection after that, as an upgrade gives it; rest is what had
	// arrived behind the request.
	Then func(c net.Conn, rest []byte)
}

// A Script says what a backend does with a request.
type Script func(*Backend, Request) Answer

// A Backend is played by a case. It serves any number of connections.
type Backend struct {
	ref  string
	rec  *history.Recorder
	l    spec.Stage
	done chan struct{}

	mu      sync.Mutex
	script  Script
	early   func(Request) *Answer
	conns   map[net.Conn]*stream
	seen    Seen
	running sync.WaitGroup
}

// Seen is what arrived.
type Seen struct {
	Requests []Request // in the order in which they were complete
	Begun    []Request // whose head is there and whose body is not; what of it had come
	Doubts   []string  // bytes that are not one clear request, and why
}

// stream is one connection.
type stream struct {
	b      []byte // not yet read as requests
	told   bool   // the request under way was answered early
	behind bool   // a request has arrived whole before what is in b

	left []byte // of b, what nobody has judged; the lock is needed
}

// Play plays a backend on the i-th stage of the case, until the case ends. A nil
// script is Echo.
func Play(t *spec.T, i int, s Script) *Backend {
	stage := t.Played(i)
	b := &Backend{ref: string(stage.Ref), rec: t.Env().Recorder(), l: stage, done: make(chan struct{}), conns: map[net.Conn]*stream{}}
	b.script = s
	if s == nil {
		b.script = (*Backend).Echo
	}
	b.running.Go(b.accept)
	t.Cleanup(func(context.Context) error { b.close(); return nil })
	return b
}

// Become replaces the script for requests from now on.
func (b *Backend) Become(s Script) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.script = s
}

// Early has a say when the head of a request is complete and its body is not; nil
// leaves the request to the script.
func (b *Backend) Early(f func(Request) *Answer) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.early = f
}

// Take hands over what arrived since the last call, with what lies unfinished on
// connections by now.
func (b *Backend) Take() Seen {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, s := range b.conns {
		b.leftOver(s)
	}
	s := b.seen
	b.seen = Seen{}
	return s
}

// Echo answers 200 with the target as the body.
func (b *Backend) Echo(r Request) Answer {
	return Answer{Bytes: b.Head(r, 200, fmt.Sprintf("Content-Length: %d", len(r.Target))) + bodyFor(r, r.Target)}
}

// With answers 200 with further lines and these bytes behind the head.
func (b *Backend) With(r Request, bytes string, lines ...string) Answer {
	return Answer{Bytes: b.Head(r, 200, lines...) + bytes}
}

// Head is the head of an answer with the marks of the backend and of the request,
// by which the client knows whose answer it is, and with further lines.
func (b *Backend) Head(r Request, status int, lines ...string) string {
	h := fmt.Sprintf("HTTP/1.1 %d %s\r\n", status, http.StatusText(status))
	for _, l := range append(b.marks(r), lines...) {
		h += l + "\r\n"
	}
	return h + "\r\n"
}

func (b *Backend) marks(r Request) []string {
	return []string{echo.HeaderBackend + ": " + b.ref, echo.HeaderOp + ": " + r.ID()}
}

func bodyFor(r Request, body string) string {
	if r.Method == http.MethodHead {
		return ""
	}
	return body
}

func (b *Backend) close() {
	b.mu.Lock()
	select {
	case <-b.done:
	default:
		close(b.done)
	}
	_ = b.l.Close()
	for c := range b.conns {
		_ = c.Close()
	}
	b.mu.Unlock()
	b.running.Wait()
}

func (b *Backend) accept() {
	for {
		c, err := b.l.Accept()
		if err != nil {
			return // closed with the case
		}
		b.mu.Lock()
		s := &stream{}
		b.conns[c] = s
		b.mu.Unlock()
		b.running.Go(func() {
			b.serve(c, s)
			b.ended(c, s)
		})
		select {
		case <-b.done: // Close did not see this connection
			_ = c.Close()
		default:
		}
	}
}

func (b *Backend) ended(c net.Conn, s *stream) {
	_ = c.Close()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.leftOver(s)
	delete(b.conns, c)
}

func (b *Backend) serve(c net.Conn, s *stream) {
	buf := make([]byte, 64<<10)
	for {
		if err := c.SetReadDeadline(time.Now().Add(idleLimit)); err != nil {
			return
		}
		n, err := c.Read(buf)
		s.b = append(s.b, buf[:n]...)
		if !b.read(c, s) || err != nil || len(s.b) > MaxBytes {
			return
		}
	}
}

// read answers all requests that have arrived whole; false ends the connection.
func (b *Backend) read(c net.Conn, s *stream) bool {
	for len(s.b) > 0 {
		r, n, err := next(s.b)
		switch {
		case err != nil:
			b.doubt(s, err.Error())
			_, _ = io.WriteString(c, b.Head(Request{}, 400, "Content-Length: 0", "Connection: close"))
			return false
		case n == 0:
			b.keep(s)
			return b.earlyAnswer(c, s)
		}
		s.b, s.told, s.behind = s.b[n:], false, true
		a := b.note(c, s, r)
		if !b.play(c, s, a) {
			return false
		}
	}
	return true
}

// note keeps a request and asks the script.
func (b *Backend) note(c net.Conn, s *stream, r Request) Answer {
	b.mu.Lock()
	b.seen.Requests = append(b.seen.Requests, r)
	s.left = s.b // before the answer, after which a case may ask
	script := b.script
	b.mu.Unlock()
	a := script(b, r)
	b.rec.Arrival(history.Arrival{
		ID: r.ID(), Backend: b.l.Ref, VNI: b.l.VNI, From: c.RemoteAddr().String(), At: b.rec.Now(), Seen: r.seen(), Answer: meant(a.Bytes),
	})
	return a
}

// meant is the answer for the history, where it can be read simply: one head with
// a length and as many bytes.
func meant(text string) *history.Answer {
	head, body, _ := strings.Cut(text, "\r\n\r\n")
	var status int
	if _, err := fmt.Sscanf(head, "HTTP/1.1 %d ", &status); err != nil || status < 200 || !strings.Contains(head, fmt.Sprintf("\r\nContent-Length: %d", len(body))) {
		return nil
	}
	a := &history.Answer{Status: status, BodyLen: int64(len(body))}
	if len(body) > 0 {
		a.BodySum = history.Sum(sha256.Sum256([]byte(body)))
	}
	return a
}

func (b *Backend) play(c net.Conn, s *stream, a Answer) bool {
	if a.Wait != nil {
		select {
		case <-a.Wait:
		case <-b.done:
			return false
		}
	}
	if err := c.SetWriteDeadline(time.Now().Add(idleLimit)); err != nil {
		return false
	}
	if _, err := io.WriteString(c, a.Bytes); err != nil {
		return false
	}
	if a.Then != nil {
		b.mu.Lock()
		s.left = nil // it is no request, and Then has it
		b.mu.Unlock()
		_ = c.SetDeadline(time.Now().Add(idleLimit)) // fails only where reading fails
		a.Then(c, slices.Clone(s.b))
		return false
	}
	return !a.Close
}

// Taken waits until the peer's machine has all that was written to a connection, so
// that the peer can read it.
func Taken(ctx context.Context, c net.Conn) error {
	sc, ok := c.(syscall.Conn)
	if !ok {
		return errors.New("this connection cannot tell what was taken")
	}
	rc, err := sc.SyscallConn()
	if err != nil {
		return err
	}
	look := time.NewTicker(time.Millisecond)
	defer look.Stop()
	for {
		left := 0
		cerr := rc.Control(func(fd uintptr) { left, err = unix.IoctlGetInt(int(fd), unix.SIOCOUTQ) })
		if err := errors.Join(cerr, err); err != nil || left == 0 {
			return err
		}
		select {
		case <-look.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// earlyAnswer lets the case answer a request whose body is still coming.
func (b *Backend) earlyAnswer(c net.Conn, s *stream) bool {
	b.mu.Lock()
	early := b.early
	b.mu.Unlock()
	if early == nil || s.told || !bytes.Contains(s.b, []byte("\r\n\r\n")) {
		return true
	}
	var r Request
	if _, err := (&scan{b: s.b}).head(&r); err != nil {
		return true
	}
	a := early(r)
	if a == nil {
		return true
	}
	s.told = true
	if !strings.HasPrefix(a.Bytes, "HTTP/1.1 1") {
		b.mu.Lock()
		b.seen.Requests = append(b.seen.Requests, r)
		b.mu.Unlock()
	}
	return b.play(c, s, *a)
}
