package linelog

import (
	"bytes"
	"io"
	"os"
	"time"

	"github.com/unilb/unilb/impl/obs"
)

const (
	// writeWait bounds a write to a file that can be waited for (a pipe), so that a
	// reader who has stopped does not keep the writer from a new file, or from its end.
	writeWait = time.Second
	// retryAfter is how long a file that failed is left alone.
	retryAfter = time.Second
	// sayEvery is how often trouble is logged, at most.
	sayEvery = 10 * time.Second
)

// writer owns the file.
type writer struct {
	l       *Log
	file    io.WriteCloser
	pending []pending
	taken   [][]byte  // scratch
	failed  time.Time // of the last failure that has not been overcome; zero: none
	said    time.Time // when a failure was logged last
	told    int64     // how many dropped lines were logged
	toldAt  time.Time
}

// pending is a buffer that was taken from its lane; off is what of it is in the file.
type pending struct {
	from *lane
	b    []byte
	off  int
}

func (w *writer) run() {
	defer close(w.l.done)
	tick := time.NewTicker(w.l.o.Flush)
	defer tick.Stop()
	for {
		select {
		case <-w.l.wake:
		case <-tick.C:
		case <-w.l.reopen:
			w.flush(false)
			w.open()
		case <-w.l.stop:
			w.flush(true)
			w.end()
			return
		}
		w.flush(false)
		w.tellDropped()
	}
}

// flush writes what the lanes have. While the file fails nothing more is taken, so
// that what waits stays within its bound. last: there is no other time.
func (w *writer) flush(last bool) {
	if !w.failed.IsZero() {
		if !last && time.Since(w.failed) < retryAfter {
			return
		}
		w.open()
	}
	for {
		if len(w.pending) == 0 {
			w.take()
		}
		if len(w.pending) == 0 {
			return
		}
		n := 0
		for n < len(w.pending) && w.write(&w.pending[n]) {
			n++
		}
		w.pending = append(w.pending[:0], w.pending[n:]...)
		if len(w.pending) > 0 || !last {
			return
		}
	}
}

func (w *writer) take() {
	for i := range w.l.lanes {
		a := &w.l.lanes[i]
		w.taken = a.take(w.taken[:0])
		for _, b := range w.taken {
			w.pending = append(w.pending, pending{from: a, b: b})
		}
	}
	clear(w.taken)
}

// write writes the rest of a buffer; false when not all of it could be written.
func (w *writer) write(p *pending) bool {
	if d, ok := w.file.(interface{ SetWriteDeadline(time.Time) error }); ok {
		_ = d.SetWriteDeadline(time.Now().Add(writeWait)) // files on a disk have none
	}
	n, err := w.file.Write(p.b[p.off:])
	w.l.written.Add(int64(bytes.Count(p.b[p.off:p.off+n], newline)))
	p.off += n
	if err == nil && p.off < len(p.b) {
		err = io.ErrShortWrite
	}
	if err != nil {
		w.fail("write", err)
		return false
	}
	w.failed = time.Time{}
	p.from.giveBack(p.b)
	return true
}

var newline = []byte("\n")

// open opens the file anew. A line that is in the old one only in part is written
// whole to a new one.
func (w *writer) open() {
	f, err := w.l.o.Open()
	if err != nil {
		w.fail("open", err)
		return
	}
	old := w.file
	w.file = f
	if len(w.pending) > 0 && !sameFile(old, f) {
		p := &w.pending[0]
		p.off = bytes.LastIndexByte(p.b[:p.off], '\n') + 1
	}
	if err := old.Close(); err != nil {
		w.fail("close", err) // what was written may not have come to rest
	}
}

// sameFile tells whether both are one and the same file. What is no file is taken for
// one that stays what it is, as stderr does.
func sameFile(a, b io.WriteCloser) bool {
	x, ok := a.(*os.File)
	y, also := b.(*os.File)
	if !ok || !also {
		return !ok && !also
	}
	xi, err := x.Stat()
	if err != nil {
		return false
	}
	yi, err := y.Stat()
	return err == nil && os.SameFile(xi, yi)
}

func (w *writer) fail(op string, err error) {
	now := time.Now()
	w.l.failures.Add(1)
	if op != "close" {
		w.failed = now
	}
	if now.Sub(w.said) >= sayEvery {
		w.said = now
		w.l.o.Log.Error("log file failed", obs.Op, op, obs.Err, err)
	}
}

// tellDropped says now and then how many lines were dropped.
func (w *writer) tellDropped() {
	dropped, now := w.l.Counts().Dropped, time.Now()
	if dropped > w.told && now.Sub(w.toldAt) >= sayEvery {
		w.l.o.Log.Warn("log lines dropped", "lines", dropped-w.told)
		w.told, w.toldAt = dropped, now
	}
}

// end counts what is left as lost, and closes the file.
func (w *writer) end() {
	for len(w.pending) > 0 {
		for _, p := range w.pending {
			w.l.lost.Add(int64(bytes.Count(p.b[p.off:], newline)))
		}
		w.pending = w.pending[:0]
		w.take()
	}
	if err := w.file.Close(); err != nil {
		w.fail("close", err)
	}
	w.toldAt = time.Time{}
	w.tellDropped()
}
