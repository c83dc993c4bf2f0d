package std

import (
	"errors"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/unilb/unilb/impl/engine/h1"
)

// clientBody is the body of a request, of which the first bytes are kept so that
// another attempt can send them again. What comes from the client is read by a
// goroutine of its own, so that who sends it on can be told to stop while the client
// says nothing.
type clientBody struct {
	src     io.Reader
	rc      *http.ResponseController
	trailer func() http.Header // after the end
	limit   int
	length  int64 // what the head promised; -1: unknown
	timeout time.Duration
	count   atomic.Int64

	mu      sync.Mutex
	moved   sync.Cond // of mu: there is more, or a reader was closed
	fetches bool      // a read from the client is under way
	gone    bool      // the exchange is over: no more reads
	reader  *reader   // of the attempt under way; nil: there was none yet
	kept    []byte
	over    bool   // more was sent than is kept: kept is gone
	fresh   []byte // then: what has been read and not been sent
	buf     []byte // of fetch
	ended   error
}

func (b *clientBody) received() int64 { return b.count.Load() }

// reader is the body as one attempt sends it. Those of earlier attempts are closed.
type reader struct {
	b        *clientBody
	at       int                // in what is kept
	progress func(waiting bool) // before waiting for the client, and after
	trailer  http.Header        // of the attempt's request, filled at the end; nil: none
	closed   bool               // guarded by the body
}

var errDetached = errors.New("attempt was given up")

// open is for an attempt that may send the whole body.
func (b *clientBody) open(trailer http.Header, progress func(waiting bool)) *reader {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.reader = &reader{b: b, trailer: trailer, progress: progress}
	return b.reader
}

// Read waits for the client, until somebody closes the reader.
func (r *reader) Read(p []byte) (int, error) {
	b := r.b
	b.mu.Lock()
	defer b.mu.Unlock()
	if !r.ready() {
		r.progress(true)
		for !r.ready() {
			b.want()
			b.moved.Wait()
		}
		if !r.closed {
			r.progress(false)
		}
	}
	switch {
	case r.closed || b.gone:
		return 0, errDetached
	case r.at < len(b.kept):
		n := copy(p, b.kept[r.at:])
		r.at += n
		return n, nil
	case len(b.fresh) > 0:
		n := copy(p, b.fresh)
		b.fresh = b.fresh[n:]
		return n, nil
	}
	if errors.Is(b.ended, io.EOF) && r.trailer != nil {
		for name, values := range b.trailer() {
			if !h1.DropTrailer(name) {
				r.trailer[name] = values
			}
		}
	}
	return 0, b.ended
}

// ready is called with the lock held.
func (r *reader) ready() bool {
	b := r.b
	return r.closed || b.gone || r.at < len(b.kept) || len(b.fresh) > 0 || b.ended != nil
}

// want has more read from the client. It is called with the lock held.
func (b *clientBody) want() {
	if b.fetches {
		return
	}
	if b.fetches = true; b.buf == nil {
		b.buf = make([]byte, copyBuffer)
	}
	go b.fetch()
}

// fetch sets deadlines with the lock held: none of abandon lands behind those of ours.
func (b *clientBody) fetch() {
	b.mu.Lock()
	if b.gone {
		b.fetches = false
		b.moved.Broadcast()
		b.mu.Unlock()
		return
	}
	_ = b.rc.SetReadDeadline(time.Now().Add(b.timeout)) // fails only where the read fails, too
	b.mu.Unlock()
	n, err := b.src.Read(b.buf)
	b.count.Add(int64(n))
	b.mu.Lock()
	defer b.mu.Unlock()
	_ = b.rc.SetReadDeadline(time.Time{}) // the library reads on after us
	// What goes beyond the limit is kept all the same while there is nobody who has
	// sent what is kept: a next attempt shall send all of it.
	r := b.reader
	if r != nil && n > 0 && len(b.kept)+n > b.limit && !r.closed && r.at == len(b.kept) {
		b.over, b.kept, r.at = true, nil, 0
	}
	if b.over {
		b.fresh = b.buf[:n]
	} else {
		b.kept = append(b.kept, b.buf[:n]...)
	}
	b.fetches, b.ended = false, err
	b.moved.Broadcast()
}

// Close is called by the transport; the client's body stays open.
func (r *reader) Close() error {
	r.b.mu.Lock()
	r.closed = true
	r.b.moved.Broadcast()
	r.b.mu.Unlock()
	return nil
}

// detach ends the reader and tells whether the whole body can be had again.
func (r *reader) detach() bool {
	_ = r.Close() // it has no error
	r.b.mu.Lock()
	defer r.b.mu.Unlock()
	return !r.b.over
}

// clientError returns why the client's body ended, when it did not end well.
func (b *clientBody) clientError() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if errors.Is(b.ended, io.EOF) {
		return nil
	}
	return b.ended
}

// last returns why the body of a stream that has ended did, when it did not end well: reads
// no longer wait for the client.
func (b *clientBody) last() error {
	if b.length == 0 {
		return nil
	}
	b.mu.Lock()
	for b.fetches {
		b.moved.Wait()
	}
	for b.ended == nil {
		b.mu.Unlock()
		_, err := b.src.Read(make([]byte, copyBuffer))
		b.mu.Lock()
		b.ended = err
	}
	b.mu.Unlock()
	return b.clientError()
}

// complete tells whether the client has sent all of it.
func (b *clientBody) complete() bool {
	if b.length >= 0 {
		return b.count.Load() == b.length
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return errors.Is(b.ended, io.EOF)
}

// patience is how long a read has at the end of an exchange to return by itself.
const patience = time.Millisecond

// abandon ends all reading, and tells whether the client has sent everything. A read
// from the client may be under way this moment, and the library does not survive one
// after its handler returned: a deadline in the past ends it.
//
// Behind the end of the body the library begins a read of its own, and one that fails
// takes the requests behind this one with it: their client is gone, it thinks. So the
// deadline must hit a read of ours alone, and be no more when it has. It is set only while
// fetch has still to clear it, both under the lock. What is left is the moment in which the
// end has been read and fetch has not come to say so: hence the patience, for the end of a
// body and the answer to it like to come together.
func (b *clientBody) abandon() (complete bool) {
	b.mu.Lock()
	b.gone = true
	b.moved.Broadcast()
	if b.fetches {
		end := time.AfterFunc(patience, func() {
			b.mu.Lock()
			defer b.mu.Unlock()
			if b.fetches {
				_ = b.rc.SetReadDeadline(time.Unix(1, 0)) // fails only on a dead connection, where reads end by themselves
			}
		})
		for b.fetches {
			b.moved.Wait()
		}
		end.Stop()
	}
	b.mu.Unlock()
	if complete = b.complete(); !complete {
		_ = b.rc.SetReadDeadline(time.Now().Add(lingering)) // for the library; it closes the connection after this request
	}
	return complete
}
