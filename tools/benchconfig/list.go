package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/unilb/unilb/tools/bench/stage"
)

// measureList lists all routes by an Admin API that has done nothing before.
func measureList(ctx context.Context, b *bench, got *result) error {
	l, err := b.needed(ctx)
	if err != nil {
		return err
	}
	if err := l.stopAll(); err != nil {
		return err
	}
	for range b.pick(5, 2) {
		if err := l.startAdmin(ctx); err != nil {
			return err
		}
		var one listed
		t, err := b.during(func() (v float64, err error) {
			one, err = l.listAll(ctx)
			return stage.SixDigits(one.grown / (1 << 20)), err
		})
		if err != nil {
			return err
		}
		got.turn("list-memory", t)
		t.Value = stage.SixDigits(one.first.Seconds() / one.last.Seconds())
		got.turn("list-first", t)
		got.beside("list-first", "first_ms", stage.SixDigits(1000*one.first.Seconds()))
		got.beside("list-first", "last_ms", stage.SixDigits(1000*one.last.Seconds()))
		got.beside("list-memory", "answer_MiB", stage.SixDigits(one.size/(1<<20)))
		b.dot()
	}
	return nil
}

// listed is one list.
type listed struct {
	first, last time.Duration // from the request to these bytes
	size        float64       // bytes
	grown       float64       // bytes that the process had more at its largest
}

func (l *lab) listAll(ctx context.Context) (out listed, err error) {
	pid := l.admin.PID()
	before, err := resident(pid, "VmRSS")
	if err != nil {
		return out, err
	}
	// The largest size is counted anew from here.
	if err := os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", pid), []byte("5"), 0o200); err != nil {
		return out, fmt.Errorf("forget the largest size: %w", err)
	}
	start := time.Now()
	resp, err := l.client.ask(ctx, http.MethodGet, "routes", nil)
	if err != nil {
		return out, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return out, fmt.Errorf("list routes: %s", resp.Status)
	}
	buf := make([]byte, 256<<10)
	var tail []byte
	for {
		n, err := resp.Body.Read(buf)
		if n > 0 && out.size == 0 {
			out.first = time.Since(start)
		}
		out.size += float64(n)
		tail = append(tail, buf[:n]...)
		tail = tail[max(0, len(tail)-64):]
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return out, fmt.Errorf("list routes: %w", err)
		}
	}
	out.last = time.Since(start)
	if want := fmt.Sprintf("\"total\":%d}", l.routes+l.more); !bytes.Contains(tail, []byte(want)) {
		return out, fmt.Errorf("the list of routes ends with %q, want %s", tail, want)
	}
	largest, err := resident(pid, "VmHWM")
	out.grown = max(0, largest-before)
	return out, err
}

// resident is a line of a process's memory, in bytes.
func resident(pid int, name string) (float64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(b)) {
		if v, ok := strings.CutPrefix(line, name+":"); ok {
			kb, err := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(v), "kB")), 64)
			return kb * 1024, err
		}
	}
	return 0, fmt.Errorf("process %d has no %s", pid, name)
}
