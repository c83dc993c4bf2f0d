package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"time"

	"github.com/unilb/unilb/sim/nodelog"
)

// maxAround is how much of logs a window may hold, in bytes.
const maxAround = 256 << 20

// A logPrinter prints lines of logs.
type logPrinter struct {
	out   *output
	zero  time.Time // of the run's clock; zero: not known
	named bool      // say whose each line is
}

func (p *logPrinter) print(l nodelog.Log, line nodelog.Line) error {
	if p.out.json {
		o := map[string]any{"node": l.Node, "process": l.Process, "text": string(line.Text)}
		if !line.At.IsZero() {
			o["time"] = line.At
			if !p.zero.IsZero() {
				o["at"] = line.At.Sub(p.zero)
			}
		}
		return p.out.object("line", o)
	}
	head := ""
	if !p.zero.IsZero() && !line.At.IsZero() {
		head = fmt.Sprintf("%10s  ", "+"+seconds(line.At.Sub(p.zero)))
	}
	if p.named {
		head += l.Name() + "  "
	}
	_, err := fmt.Fprintf(p.out.to, "%s%s\n", head, line.Text)
	return err
}

// printAll prints logs one after the other.
func (o logsOptions) printAll(p *logPrinter, logs []nodelog.Log) error {
	p.zero = time.Time{} // lines are printed as they were written
	for _, l := range logs {
		if o.tail == 0 {
			if err := l.Each(func(line nodelog.Line) error { return p.print(l, line) }); err != nil {
				return err
			}
			continue
		}
		var last []nodelog.Line
		err := l.Each(func(line nodelog.Line) error {
			if len(last) == o.tail {
				last = slices.Delete(last, 0, 1)
			}
			last = append(last, nodelog.Line{At: line.At, Text: bytes.Clone(line.Text)})
			return nil
		})
		if err != nil {
			return err
		}
		for _, line := range last {
			if err := p.print(l, line); err != nil {
				return err
			}
		}
	}
	return nil
}

// printAround prints the lines of a window of time, all logs together. Lines that do
// not say when they were written cannot be placed, and are counted.
func (o logsOptions) printAround(p *logPrinter, logs []nodelog.Log) error {
	at, err := parseMoment(o.around)
	if err != nil {
		return err
	}
	from, to := p.zero.Add(at-o.span/2), p.zero.Add(at+o.span/2)
	type placed struct {
		of nodelog.Log
		nodelog.Line
	}
	var lines []placed
	undated, size := 0, 0
	for _, l := range logs {
		first := len(lines)
		err := l.Each(func(line nodelog.Line) error {
			switch {
			case line.At.IsZero():
				undated++
			case !line.At.Before(from) && !line.At.After(to):
				if size += len(line.Text); size > maxAround {
					return inputError(fmt.Errorf("more than %d MiB were written around %s; choose fewer nodes or a shorter --span", maxAround>>20, o.around))
				}
				lines = append(lines, placed{l, nodelog.Line{At: line.At, Text: bytes.Clone(line.Text)}})
			}
			return nil
		})
		if err != nil {
			return err
		}
		if o.tail > 0 && len(lines)-first > o.tail {
			lines = slices.Delete(lines, first, len(lines)-o.tail)
		}
	}
	slices.SortStableFunc(lines, func(a, b placed) int { return cmp.Compare(a.At.UnixNano(), b.At.UnixNano()) })
	for _, line := range lines {
		if err := p.print(line.of, line.Line); err != nil {
			return err
		}
	}
	if len(lines) == 0 {
		progress("no line of %d logs is of around %s", len(logs), o.around)
	}
	if undated > 0 {
		progress("%d lines do not say when they were written and are not shown; without --around they are", undated)
	}
	return nil
}

// followEvery is how often logs are looked at while they are followed.
const followEvery = 200 * time.Millisecond

// printFollowing prints the end of logs and what comes after it until ctx is done,
// which is no error.
func (o logsOptions) printFollowing(ctx context.Context, p *logPrinter, logs []nodelog.Log) error {
	if o.tail == 0 {
		o.tail = 10
	}
	read := make([]int64, len(logs))
	for i, l := range logs {
		st, err := os.Stat(l.Path)
		if err != nil {
			return fmt.Errorf("follow log: %w", err)
		}
		read[i] = st.Size()
	}
	if err := o.printAll(p, logs); err != nil {
		return err
	}
	tick := time.NewTicker(followEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		for i, l := range logs {
			n, err := p.printNew(l, read[i])
			if errors.Is(err, fs.ErrNotExist) {
				return nil // the lab is down, and its directory gone
			}
			if err != nil {
				return err
			}
			read[i] = n
		}
	}
}

// printNew prints the whole lines behind a place and returns the next one. A log
// that has become shorter was cut by the lab: it is read on from its new end.
func (p *logPrinter) printNew(l nodelog.Log, from int64) (int64, error) {
	f, err := os.Open(l.Path)
	if err != nil {
		return from, err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return from, err
	}
	if st.Size() <= from {
		return st.Size(), nil
	}
	const most = 1 << 20 // the rest comes with the next look
	b := make([]byte, min(st.Size()-from, most))
	n, err := f.ReadAt(b, from)
	if err != nil && !errors.Is(err, io.EOF) {
		return from, err
	}
	whole := b[:bytes.LastIndexByte(b[:n], '\n')+1]
	if len(whole) == 0 && n == most {
		whole = b // no line is that long: it is printed as it is
	}
	for text := range bytes.Lines(whole) {
		if err := p.print(l, nodelog.Line{At: nodelog.Stamp(text), Text: bytes.TrimRight(text, "\r\n")}); err != nil {
			return from, err
		}
	}
	return from + int64(len(whole)), nil
}
