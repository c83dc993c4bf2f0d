package wire

import (
	"sync"
	"time"
)

// smallFrame is the size of buffers for frames that are no large segments.
const smallFrame = 2048

var (
	small = sync.Pool{New: func() any { b := make([]byte, smallFrame); return &b }}
	large = sync.Pool{New: func() any { b := make([]byte, maxFrame); return &b }}
)

// frame is a frame under way.
type frame struct {
	due time.Time
	seq uint64 // order of frames that are due at once
	buf *[]byte
	n   int
}

func newFrame(b []byte, due time.Time, seq uint64) frame {
	pool := &small
	if len(b) > smallFrame {
		pool = &large
	}
	buf := pool.Get().(*[]byte)
	return frame{due: due, seq: seq, buf: buf, n: copy(*buf, b)}
}

func (f frame) bytes() []byte { return (*f.buf)[:f.n] }

func (f frame) free() {
	if len(*f.buf) == smallFrame {
		small.Put(f.buf)
	} else {
		large.Put(f.buf)
	}
}

func (f frame) before(g frame) bool {
	if f.due.Equal(g.due) {
		return f.seq < g.seq
	}
	return f.due.Before(g.due)
}

// queue is a heap: the frame that is due first is q[0]. Frames that come in order,
// nearly all, cost one comparison to push.
type queue []frame

func (q *queue) push(f frame) {
	*q = append(*q, f)
	h := *q
	for i := len(h) - 1; i > 0; {
		up := (i - 1) / 2
		if !h[i].before(h[up]) {
			return
		}
		h[i], h[up] = h[up], h[i]
		i = up
	}
}

func (q *queue) pop() frame {
	h := *q
	top, last := h[0], len(h)-1
	h[0], h[last] = h[last], frame{}
	h = h[:last]
	*q = h
	for i := 0; ; {
		down := 2*i + 1
		if down >= last {
			return top
		}
		if down+1 < last && h[down+1].before(h[down]) {
			down++
		}
		if !h[down].before(h[i]) {
			return top
		}
		h[i], h[down] = h[down], h[i]
		i = down
	}
}
