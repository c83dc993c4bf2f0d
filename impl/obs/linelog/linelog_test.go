package linelog

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func open(t testing.TB, o Options) *Log {
	t.Helper()
	l, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l
}

// line appends "lane number padding".
func line(l *Log, lane, number int) {
	l.Append(lane, 64, func(b []byte) []byte {
		return fmt.Appendf(b, "%d %d %s\n", lane, number, strings.Repeat("x", number%40))
	})
}

// until waits for a condition that other goroutines bring about.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !ok(); <-time.After(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within 20 s: %s", what)
		}
	}
}

// inOrder checks that each lane's lines are all there, once and in their order.
func inOrder(t *testing.T, text string, lanes, each int) {
	t.Helper()
	next := make([]int, lanes)
	for _, s := range strings.SplitAfter(text, "\n") {
		if s == "" {
			continue
		}
		var lane, number int
		if _, err := fmt.Sscanf(s, "%d %d", &lane, &number); err != nil || lane >= lanes {
			t.Fatalf("line %q: %v", s, err)
		}
		if want := fmt.Sprintf("%d %d %s\n", lane, number, strings.Repeat("x", number%40)); s != want || number != next[lane] {
			t.Fatalf("lane %d: got %q after %d lines", lane, s, next[lane])
		}
		next[lane]++
	}
	for lane, n := range next {
		if n != each {
			t.Errorf("lane %d: got %d lines, want %d", lane, n, each)
		}
	}
}

func TestNoLineIsLostOverRotationsUnderLoad(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "log")
	l := open(t, Options{Open: File(path), Lanes: 3, Backlog: 64 << 20})
	const each = 20_000
	var load sync.WaitGroup
	var sent atomic.Int64
	for lane := range 3 {
		load.Go(func() {
			for i := range each {
				line(l, lane, i)
				sent.Add(1)
			}
		})
	}
	rotations := 0
	for ; sent.Load() < 3*each; rotations++ {
		// As logrotate does: rename, signal, and wait for the new file.
		if err := os.Rename(path, filepath.Join(dir, fmt.Sprintf("log.%04d", rotations))); err != nil {
			t.Fatal(err)
		}
		l.Reopen()
		until(t, "a new file", func() bool { _, err := os.Stat(path); return err == nil })
	}
	load.Wait()
	l.Close()
	var all strings.Builder
	for i := range rotations {
		b, err := os.ReadFile(filepath.Join(dir, fmt.Sprintf("log.%04d", i)))
		if err != nil {
			t.Fatal(err)
		}
		all.Write(b)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	all.Write(b)
	inOrder(t, all.String(), 3, each)
	if c := l.Counts(); c.Dropped != 0 || c.Failures != 0 || c.Written != 3*each {
		t.Errorf("counts %+v, want %d written", c, 3*each)
	}
	t.Logf("%d rotations", rotations)
}

func TestLinesBeforeARotationAreInTheOldFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "log")
	l := open(t, Options{Open: File(path), Flush: time.Hour})
	line(l, 0, 0)
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	l.Reopen()
	until(t, "a new file", func() bool { _, err := os.Stat(path); return err == nil })
	b, err := os.ReadFile(path + ".1")
	if err != nil || string(b) != "0 0 \n" {
		t.Errorf("old file %q, %v", b, err)
	}
}

func TestLineIsWrittenWithinASecondThoughNoOtherComes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	l := open(t, Options{Open: File(path)})
	begin := time.Now()
	line(l, 0, 0)
	until(t, "the line", func() bool { b, _ := os.ReadFile(path); return len(b) > 0 })
	if took := time.Since(begin); took > 10*time.Second { // the machine is shared
		t.Errorf("a lone line took %v", took)
	}
}

func TestLineLongerThanABufferIsWhole(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	l := open(t, Options{Open: File(path)})
	long := strings.Repeat("z", 5*chunkSize)
	for _, said := range []int{10, 6 * chunkSize} { // about how long it is
		l.Append(0, said, func(b []byte) []byte { return append(append(b, long...), '\n') })
		line(l, 0, 0)
	}
	l.Close()
	b, err := os.ReadFile(path)
	if want := long + "\n0 0 \n" + long + "\n0 0 \n"; err != nil || string(b) != want {
		t.Errorf("got %d bytes, %v, want %d", len(b), err, len(want))
	}
}

func TestAppendAllocatesNothing(t *testing.T) {
	l := open(t, Options{Open: File(os.DevNull)})
	text := strings.Repeat("y", 299) + "\n"
	add := func() { l.Append(0, len(text), func(b []byte) []byte { return append(b, text...) }) }
	for range 2000 {
		add()
	}
	if n := testing.AllocsPerRun(1000, add); n >= 0.1 { // 5 buffers may come to be while the writer waits for its turn
		t.Errorf("a line allocates %v times, want none", n)
	}
}

func BenchmarkAppend(b *testing.B) {
	l := open(b, Options{Open: File(os.DevNull)})
	text := strings.Repeat("y", 299) + "\n"
	b.ReportAllocs()
	for b.Loop() {
		l.Append(0, len(text), func(b []byte) []byte { return append(b, text...) })
	}
	b.StopTimer()
	b.ReportMetric(float64(l.Counts().Dropped)/float64(b.N), "dropped/op")
}
