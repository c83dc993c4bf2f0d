package linelog

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Options of a Log. Open is required; zero fields have defaults.
type Options struct {
	// Open opens the file: at the start, at every Reopen, and after a failure. It is
	// called by one goroutine at a time. See File.
	Open func() (io.WriteCloser, error)
	// Lanes is the number of lanes; 0: 1.
	Lanes int
	// Backlog bounds the bytes that wait in a lane; 0: 4 MiB. What the writer has
	// taken, as much again, comes on top.
	Backlog int
	// Flush is how long a line waits at most before it is written; 0: 1 s.
	Flush time.Duration
	// CloseWait bounds the wait of Close for a file that takes nothing; 0: 5 s.
	CloseWait time.Duration
	// Log is told of failures and dropped lines, every ten seconds at most; nil:
	// nobody is.
	Log *slog.Logger
}

// Log is a file of lines.
type Log struct {
	o      Options
	lanes  []lane
	most   int           // full buffers of a lane
	wake   chan struct{} // a buffer is full
	reopen chan struct{}
	stop   chan struct{}
	once   sync.Once
	done   chan struct{}

	written, lost, failures atomic.Int64
}

// Counts are what a log has done since it was opened.
type Counts struct {
	// Written lines are in the file, Dropped ones never will be: there was no room,
	// or the file took nothing until the end.
	Written, Dropped int64
	// Failures of writing and of opening.
	Failures int64
}

// File opens the file of that path for appending and makes it if there is none. It
// never waits: a FIFO without a reader is an error.
func File(path string) func() (io.WriteCloser, error) {
	const mode = 0o640
	return func() (io.WriteCloser, error) {
		return os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY|syscall.O_NONBLOCK, mode)
	}
}

// New opens the file and starts the writer; Close ends it.
func New(o Options) (*Log, error) {
	if o.Backlog == 0 {
		o.Backlog = 4 << 20
	}
	if o.Flush == 0 {
		o.Flush = time.Second
	}
	if o.CloseWait == 0 {
		o.CloseWait = 5 * time.Second
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	f, err := o.Open()
	if err != nil {
		return nil, fmt.Errorf("open log: %w", err)
	}
	l := &Log{o: o, lanes: make([]lane, max(1, o.Lanes)), most: max(1, o.Backlog/chunkSize-1),
		wake: make(chan struct{}, 1), reopen: make(chan struct{}, 1), stop: make(chan struct{}), done: make(chan struct{})}
	go (&writer{l: l, file: f}).run()
	return l, nil
}

// Append has form append one line, with its newline, to a buffer of the lane. size is
// about how long the line is, in bytes; a longer one is correct but may cost an
// allocation. form must not block. Append waits for nothing but other lines of its
// lane, and allocates nothing as long as the file is written as fast as lines come.
func (l *Log) Append(laneNo, size int, form func([]byte) []byte) {
	a := &l.lanes[laneNo%len(l.lanes)]
	wake, ok := a.append(size, l.most, form)
	if !ok {
		a.dropped.Add(1)
	}
	if wake {
		nudge(l.wake)
	}
}

// Reopen opens the file anew, as after a rotation: lines that were appended before go
// to the old file. When it cannot be opened the old one stays. It does not wait.
func (l *Log) Reopen() { nudge(l.reopen) }

// Close writes what waits and closes the file. Lines that are appended from then on
// are dropped. Idempotent.
func (l *Log) Close() {
	l.once.Do(func() {
		for i := range l.lanes {
			l.lanes[i].end()
		}
		close(l.stop)
	})
	select {
	case <-l.done:
	case <-time.After(l.o.CloseWait):
		l.o.Log.Error("log file takes nothing: lines are lost")
	}
}

// Counts returns what the log has done.
func (l *Log) Counts() Counts {
	c := Counts{Written: l.written.Load(), Dropped: l.lost.Load(), Failures: l.failures.Load()}
	for i := range l.lanes {
		c.Dropped += l.lanes[i].dropped.Load()
	}
	return c
}

// nudge leaves word in a channel of one place.
func nudge(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default: // it is there already
	}
}
