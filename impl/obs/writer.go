package obs

import (
	"bytes"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// linesWaiting is how many lines may wait to be written; further ones are lost.
	linesWaiting = 1024
	// flushTime bounds how long Close waits for what takes the lines.
	flushTime = time.Second
)

// A Writer hands lines to a goroutine that writes them, so that who logs waits for
// nobody: not an event loop for a pipe that nobody reads. Lines for which there is no
// room are lost, and counted in a line of their own when there is room again. It is safe
// for concurrent use.
type Writer struct {
	to    io.Writer
	lines chan []byte
	lost  atomic.Int64
	end   func() // idempotent
	quit  chan struct{}
	done  chan struct{}
}

// NewWriter returns a Writer to w. Close ends it.
func NewWriter(w io.Writer) *Writer {
	a := &Writer{to: w, lines: make(chan []byte, linesWaiting), quit: make(chan struct{}), done: make(chan struct{})}
	a.end = sync.OnceFunc(func() { close(a.quit) })
	go a.run()
	return a
}

// Write takes a line. It never waits and never fails.
func (w *Writer) Write(line []byte) (int, error) {
	select {
	case w.lines <- bytes.Clone(line):
	default:
		w.lost.Add(1)
	}
	return len(line), nil
}

// Close waits a second at most until the lines so far are written. Later ones are lost.
func (w *Writer) Close() {
	w.end()
	select {
	case <-w.done:
	case <-time.After(flushTime):
	}
}

func (w *Writer) run() {
	defer close(w.done)
	for {
		select {
		case line := <-w.lines:
			w.write(line)
		case <-w.quit:
			for {
				select {
				case line := <-w.lines:
					w.write(line)
				default:
					return
				}
			}
		}
	}
}

// write writes a line, behind the word of those that are lost. An error is nobody's: this
// is where errors are told.
func (w *Writer) write(line []byte) {
	if n := w.lost.Swap(0); n > 0 {
		_, _ = fmt.Fprintf(w.to, "{\"time\":%q,\"level\":\"WARN\",\"msg\":\"log lines were lost\",\"lines\":%d}\n", time.Now().Format(time.RFC3339Nano), n)
	}
	_, _ = w.to.Write(line)
}
