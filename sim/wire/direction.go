package wire

import (
	"errors"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// smallFrame is the size of buffers for frames that are no large segments.
const smallFrame = 2048

// A direction carries frames from one tap to the other.
type direction struct {
	from, to *os.File
	limit    int
	delay    atomic.Int64 // nanoseconds
	cut      atomic.Bool

	frames, bytes, full, lost atomic.Uint64

	mu     sync.Mutex
	queue  []frame
	under  int           // bytes in the queue
	arrive chan struct{} // holds a token when the queue may have work
	done   chan struct{}
}

type frame struct {
	due time.Time
	buf *[]byte
	n   int
}

var (
	small = sync.Pool{New: func() any { b := make([]byte, smallFrame); return &b }}
	large = sync.Pool{New: func() any { b := make([]byte, maxFrame); return &b }}
)

func newDirection(from, to *os.File, o Options) *direction {
	d := &direction{from: from, to: to, limit: o.Queue, arrive: make(chan struct{}, 1), done: make(chan struct{})}
	d.delay.Store(int64(o.Delay))
	return d
}

func (d *direction) close() { close(d.done) }

func (d *direction) stats() Stats {
	return Stats{Frames: d.frames.Load(), Bytes: d.bytes.Load(), Full: d.full.Load(), Cut: d.lost.Load()}
}

// read takes frames from one end until the cable is closed.
func (d *direction) read() {
	scratch := make([]byte, maxFrame)
	for {
		n, err := d.from.Read(scratch)
		if errors.Is(err, os.ErrClosed) {
			return
		}
		if err != nil || n == 0 {
			continue // the interface is down: the poller blocks until it is not
		}
		if d.cut.Load() {
			d.lost.Add(1)
			continue
		}
		d.put(scratch[:n])
	}
}

func (d *direction) put(b []byte) {
	due := time.Now().Add(time.Duration(d.delay.Load()))
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.under+len(b) > d.limit {
		d.full.Add(1)
		return
	}
	if last := len(d.queue) - 1; last >= 0 && due.Before(d.queue[last].due) {
		due = d.queue[last].due // a shorter delay must not reorder
	}
	pool := &small
	if len(b) > smallFrame {
		pool = &large
	}
	buf := pool.Get().(*[]byte)
	n := copy(*buf, b)
	d.queue = append(d.queue, frame{due: due, buf: buf, n: n})
	d.under += n
	select {
	case d.arrive <- struct{}{}:
	default:
	}
}

// write hands frames to the other end when they are due.
func (d *direction) write() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		f, ok := d.first()
		if !ok {
			select {
			case <-d.arrive:
				continue
			case <-d.done:
				return
			}
		}
		if wait := time.Until(f.due); wait > 0 {
			timer.Reset(wait)
			select {
			case <-timer.C:
			case <-d.done:
				return
			}
		}
		d.deliver(f)
	}
}

// first looks at the oldest frame. Only the writer removes frames.
func (d *direction) first() (frame, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.queue) == 0 {
		return frame{}, false
	}
	return d.queue[0], true
}

func (d *direction) deliver(f frame) {
	if d.cut.Load() {
		d.lost.Add(1)
	} else if _, err := d.to.Write((*f.buf)[:f.n]); err == nil {
		// An error means that the interface is down: a frame into the void.
		d.frames.Add(1)
		d.bytes.Add(uint64(f.n))
	}
	d.mu.Lock()
	d.queue[0] = frame{}
	d.queue = d.queue[1:]
	d.under -= f.n
	d.mu.Unlock()
	if len(*f.buf) == smallFrame {
		small.Put(f.buf)
	} else {
		large.Put(f.buf)
	}
}
