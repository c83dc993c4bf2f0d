package linelog

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// TestPipeThatNobodyReadsCostsLinesAndNothingElse: appending goes on, memory stays
// bounded, what did not fit is counted, and what did comes out when somebody reads.
func TestPipeThatNobodyReadsCostsLinesAndNothingElse(t *testing.T) {
	path := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := New(Options{Open: File(path)}); err == nil {
		t.Fatal("a FIFO without a reader was opened")
	}
	reader, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	var said syncBuffer
	const backlog = 256 << 10
	l := open(t, Options{Open: File(path), Backlog: backlog, Log: slog.New(slog.NewTextHandler(&said, nil))})
	text := strings.Repeat("y", 99) + "\n"
	const sent = 50_000 // 5 MB
	slowest := time.Duration(0)
	for range sent {
		begin := time.Now()
		l.Append(0, len(text), func(b []byte) []byte { return append(b, text...) })
		slowest = max(slowest, time.Since(begin))
	}
	if slowest > 5*time.Second {
		t.Errorf("a line waited %v for the file", slowest)
	}
	dropped := l.Counts().Dropped
	// Kept: the backlog, as much in the writer's hands, and what is in the pipe.
	if most := int64(2*backlog+2*chunkSize+256<<10) / 100; dropped < sent-most {
		t.Errorf("%d of %d lines dropped, so %d are kept: more than %d", dropped, sent, sent-dropped, most)
	}
	until(t, "word of the dropped lines", func() bool { return strings.Contains(said.String(), "log lines dropped") })

	got := make(chan int64)
	go func() {
		n := int64(0)
		buf := make([]byte, 64<<10)
		for {
			m, err := reader.Read(buf)
			n += int64(bytes.Count(buf[:m], newline))
			if err != nil || n == sent-dropped {
				got <- n
				return
			}
		}
	}()
	select {
	case n := <-got:
		if n != sent-dropped {
			t.Errorf("%d lines came out, want %d", n, sent-dropped)
		}
	case <-time.After(30 * time.Second):
		t.Error("what was kept did not come out within 30 s")
	}
	until(t, "the count", func() bool { return l.Counts().Written == sent-dropped })
}

type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(b)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// disk is a file that may be full: it takes a few more bytes and then none.
type disk struct {
	syncBuffer
	full atomic.Bool
	room atomic.Int64 // bytes that still fit when it is full
}

var errFull = errors.New("no space left on device")

func (d *disk) Write(b []byte) (int, error) {
	if !d.full.Load() {
		return d.syncBuffer.Write(b)
	}
	n := min(int64(len(b)), d.room.Load())
	d.room.Add(-n)
	_, _ = d.syncBuffer.Write(b[:n])
	if n < int64(len(b)) {
		return int(n), errFull
	}
	return int(n), nil
}

func (d *disk) Close() error                  { return nil }
func (d *disk) open() (io.WriteCloser, error) { return d, nil }

func TestDiskThatWasFullForAWhileCostsNoLine(t *testing.T) {
	var d disk
	var said syncBuffer
	l := open(t, Options{Open: d.open, Backlog: 16 << 20, Flush: time.Millisecond, Log: slog.New(slog.NewTextHandler(&said, nil))})
	d.room.Store(100) // a line is torn
	d.full.Store(true)
	const lines = 20_000
	for i := range lines {
		line(l, 0, i)
	}
	until(t, "two failures", func() bool { return l.Counts().Failures >= 2 })
	if n := strings.Count(said.String(), "log file failed"); n != 1 {
		t.Errorf("failures were logged %d times, want once: %s", n, said.String())
	}
	d.full.Store(false)
	until(t, "all lines", func() bool { return l.Counts().Written == lines })
	inOrder(t, d.String(), 1, lines)
	if c := l.Counts(); c.Dropped != 0 {
		t.Errorf("counts %+v, want none dropped", c)
	}
}

func TestTornLineIsWholeInTheNewFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	reader, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	l := open(t, Options{Open: File(path), Flush: time.Millisecond})
	if _, err := reader.Write(make([]byte, 1001)); err != nil { // so that a buffer does not fit in whole
		t.Fatal(err)
	}
	const lines = 10_000 // more than a pipe holds: some line is torn
	for i := range lines {
		line(l, 0, i)
	}
	until(t, "a failure", func() bool { return l.Counts().Failures > 0 })
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	l.Reopen() // and finds no FIFO: makes a file
	until(t, "all lines", func() bool { return l.Counts().Written >= lines })
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	first, _, _ := strings.Cut(string(b), "\n")
	var lane, number int
	if _, err := fmt.Sscanf(first, "%d %d", &lane, &number); err != nil || number == 0 || first != fmt.Sprintf("0 %d %s", number, strings.Repeat("x", number%40)) {
		t.Errorf("the new file begins with %q: %v", first, err)
	}
	if !bytes.HasSuffix(b, fmt.Appendf(nil, "0 %d %s\n", lines-1, strings.Repeat("x", (lines-1)%40))) {
		t.Errorf("the new file ends with %q", b[max(0, len(b)-60):])
	}
}

func TestCloseWritesWhatWaitsAndCountsWhatComesLater(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	l := open(t, Options{Open: File(path), Flush: time.Hour})
	for i := range 5 {
		line(l, 0, i)
	}
	l.Close()
	line(l, 0, 5)
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	inOrder(t, string(b), 1, 5)
	if c := l.Counts(); c.Written != 5 || c.Dropped != 1 {
		t.Errorf("counts %+v, want 5 written and 1 dropped", c)
	}
}

func TestCloseDoesNotWaitForAFileThatTakesNothing(t *testing.T) {
	var d disk
	d.full.Store(true)
	l := open(t, Options{Open: d.open, Flush: time.Hour})
	line(l, 0, 0)
	l.Close()
	if c := l.Counts(); c.Written != 0 || c.Dropped != 1 || c.Failures == 0 {
		t.Errorf("counts %+v, want the line dropped and a failure", c)
	}
	stuck := &stuck{entered: make(chan struct{}), release: make(chan struct{})}
	defer close(stuck.release)
	l = open(t, Options{Open: func() (io.WriteCloser, error) { return stuck, nil }, Flush: time.Hour, CloseWait: 10 * time.Millisecond})
	line(l, 0, 0)
	l.Close()
	<-stuck.entered
}

// stuck is a file whose writes never end.
type stuck struct {
	once             sync.Once
	entered, release chan struct{}
}

func (s *stuck) Write([]byte) (int, error) {
	s.once.Do(func() { close(s.entered) })
	<-s.release
	return 0, errFull
}
func (s *stuck) Close() error { return nil }
