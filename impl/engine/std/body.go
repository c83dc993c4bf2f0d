package std

import (
	"errors"
	"io"
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// clientBody is the body of a request, of which the first bytes are kept so
// that another attempt can send them again.
type clientBody struct {
	src     io.Reader
	rc      *http.ResponseController
	limit   int
	length  int64 // what the head promised; -1: unknown
	timeout time.Duration
	count   atomic.Int64
	gone    atomic.Bool // the exchange is over: no more reads

	mu    sync.Mutex // held during a read from the client
	kept  []byte
	over  bool // more was read than is kept
	ended error
}

func (b *clientBody) received() int64 { return b.count.Load() }

// reader is the body as one attempt sends it.
type reader struct {
	b        *clientBody
	at       int
	progress func(waiting bool) // around each read from the client
	closed   atomic.Bool
}

var errDetached = errors.New("attempt was given up")

// Read gives what is kept first and then reads on.
func (r *reader) Read(p []byte) (int, error) {
	b := r.b
	b.mu.Lock()
	defer b.mu.Unlock()
	if r.closed.Load() || b.gone.Load() {
		return 0, errDetached
	}
	if r.at < len(b.kept) {
		n := copy(p, b.kept[r.at:])
		r.at += n
		return n, nil
	}
	if b.ended != nil {
		return 0, b.ended
	}
	r.progress(true)
	_ = b.rc.SetReadDeadline(time.Now().Add(b.timeout)) // fails only where the read fails, too
	if b.gone.Load() {                                  // abandon may have set its deadline before ours
		return 0, errDetached
	}
	n, err := b.src.Read(p)
	_ = b.rc.SetReadDeadline(time.Time{}) // the library reads on after us
	r.progress(false)
	b.count.Add(int64(n))
	b.ended = err
	if !b.over && len(b.kept)+n <= b.limit {
		b.kept = append(b.kept, p[:n]...)
		r.at += n
	} else if n > 0 {
		b.over, b.kept, r.at = true, nil, 0
	}
	return n, err
}

// Close is called by the transport; the client's body stays open.
func (r *reader) Close() error {
	r.closed.Store(true)
	return nil
}

// detach ends the reader and tells whether the whole body can be had again. A
// transport that is reading from the client this moment makes that a no.
func (r *reader) detach() bool {
	r.closed.Store(true)
	if !r.b.mu.TryLock() {
		return false
	}
	defer r.b.mu.Unlock()
	return !r.b.over
}

// clientError returns why the client's body ended, when it did not end well.
func (b *clientBody) clientError() error {
	if !b.mu.TryLock() {
		return nil // still being read: not the reason
	}
	defer b.mu.Unlock()
	if errors.Is(b.ended, io.EOF) {
		return nil
	}
	return b.ended
}

// complete tells whether the client has sent all of it.
func (b *clientBody) complete() bool {
	if b.length >= 0 {
		return b.count.Load() == b.length
	}
	if !b.mu.TryLock() {
		return false
	}
	defer b.mu.Unlock()
	return errors.Is(b.ended, io.EOF)
}

// lingering is how long the library may go on reading a body that nobody wants
// any more before the connection is closed. Closing at once could destroy the
// answer on its way to the client.
const lingering = 5 * time.Second

// abandon ends all reading. A transport may be in a read from the client this
// moment, and the library does not survive a read after its handler returned.
func (b *clientBody) abandon() {
	b.gone.Store(true)
	if b.complete() {
		return
	}
	for !b.mu.TryLock() {
		_ = b.rc.SetReadDeadline(time.Unix(1, 0)) // fails only on a dead connection, where reads end by themselves
		runtime.Gosched()
	}
	b.mu.Unlock()
	_ = b.rc.SetReadDeadline(time.Now().Add(lingering)) // likewise; the connection is closed after this request
}
