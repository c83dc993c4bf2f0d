package proc

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"time"
)

// Tail returns the last whole lines of the process's log, at most n bytes.
func (p *Process) Tail(n int64) string {
	f, err := os.Open(p.log)
	if err != nil {
		return ""
	}
	defer f.Close()
	b := tail(f, n)
	return string(bytes.TrimRight(b, "\n"))
}

// tail reads the last n bytes of f, without the line that they cut in two.
func tail(f *os.File, n int64) []byte {
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return nil
	}
	from := max(0, size-n)
	b := make([]byte, size-from)
	got, err := f.ReadAt(b, from)
	if err != nil && got < len(b) {
		b = b[:got]
	}
	if from > 0 {
		if _, whole, ok := bytes.Cut(b, []byte("\n")); ok {
			return whole
		}
	}
	return b
}

// capEvery is how often logs are looked at: a process that does nothing else writes
// a gigabyte in a second.
const capEvery = 200 * time.Millisecond

// capLogs shortens logs that have grown too long. Children append, so a file can
// be cut under them; lines written at that very moment may be lost.
func (r *Runner) capLogs() {
	tick := time.NewTicker(capEvery)
	defer tick.Stop()
	for {
		select {
		case <-r.stop:
			return
		case <-tick.C:
		}
		r.mu.Lock()
		var logs []string
		for p := range r.running {
			logs = append(logs, p.log)
		}
		r.mu.Unlock()
		for _, path := range logs {
			shorten(path, r.maxLog)
		}
	}
}

// shorten keeps the newer half of a log that is longer than limit bytes and marks
// the cut, with how much is gone. A log that cannot be shortened keeps growing: it
// is evidence first.
func shorten(path string, limit int64) {
	if st, err := os.Stat(path); err != nil || st.Size() <= limit {
		return
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_APPEND, 0)
	if err != nil {
		return
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil || !st.Mode().IsRegular() || st.Size() <= limit {
		return
	}
	gone := cut(f) + st.Size()
	if before := cut(f); before > 0 {
		gone -= int64(len(fmt.Sprintf(cutMark, before)) + 1) // the mark was never the process's
	}
	keep := tail(f, limit/2)
	if f.Truncate(0) == nil {
		_, _ = fmt.Fprintf(f, cutMark+"\n", gone-int64(len(keep)))
		_, _ = f.Write(keep)
	}
}

// cutMark is the first line of a log that was shortened.
const cutMark = "[the lab removed %d bytes of older lines here]"

// cut is how much the mark at the beginning of a log says.
func cut(f io.ReaderAt) (bytes int64) {
	head := make([]byte, len(cutMark)+20)
	n, _ := f.ReadAt(head, 0) // what is shorter has no mark
	if got, _ := fmt.Sscanf(string(head[:n]), cutMark, &bytes); got != 1 {
		return 0
	}
	return bytes
}

// Cut is how many bytes of its log the lab has removed because it grew too long.
func (p *Process) Cut() int64 {
	f, err := os.Open(p.log)
	if err != nil {
		return 0
	}
	defer f.Close()
	return cut(f)
}
