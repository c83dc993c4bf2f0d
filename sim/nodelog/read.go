package nodelog

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"time"
)

// MaxLine is how much of a line is kept, in bytes.
const MaxLine = 256 << 10

// A Line is one line of a log.
type Line struct {
	At   time.Time // zero: the line does not say
	Text []byte
}

// Each gives every line to f until it returns an error, which is returned. Text is
// valid until f returns. A line that has no end yet is a line.
func (l Log) Each(f func(Line) error) error {
	file, err := os.Open(l.Path)
	if err != nil {
		return fmt.Errorf("read log: %w", err)
	}
	defer file.Close()
	return each(file, f)
}

func each(r io.Reader, f func(Line) error) error {
	lines := bufio.NewReaderSize(r, 64<<10)
	var text []byte
	for {
		part, err := lines.ReadSlice('\n')
		text = append(text, part[:min(len(part), MaxLine-min(len(text), MaxLine))]...)
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if len(text) > 0 {
			text = bytes.TrimRight(text, "\r\n")
			if ferr := f(Line{At: Stamp(text), Text: text}); ferr != nil {
				return ferr
			}
		}
		text = text[:0]
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read log: %w", err)
		}
	}
}

// Stamp is when a line says that it was written: a JSON object by its "time" or
// "ts", as text of RFC 3339 or as seconds since 1970, another line by a time of RFC
// 3339 that it begins with. Times without a zone are not believed. The zero time
// means that the line does not say.
func Stamp(line []byte) time.Time {
	if len(line) == 0 {
		return time.Time{}
	}
	if line[0] != '{' {
		word, _, _ := bytes.Cut(line, []byte(" "))
		return stampText(string(bytes.Trim(word, "[]")))
	}
	var o struct {
		Time json.RawMessage `json:"time"`
		TS   json.RawMessage `json:"ts"`
	}
	if json.Unmarshal(line, &o) != nil {
		return time.Time{}
	}
	for _, raw := range []json.RawMessage{o.Time, o.TS} {
		var text string
		switch {
		case len(raw) == 0:
			continue
		case json.Unmarshal(raw, &text) == nil:
			return stampText(text)
		}
		if s, err := strconv.ParseFloat(string(raw), 64); err == nil && s > 0 && s < 1e11 {
			whole, part := math.Modf(s)
			return time.Unix(int64(whole), int64(part*1e9))
		}
	}
	return time.Time{}
}

// zoned are the ways of RFC 3339, and ISO 8601's without a colon in the zone.
var zoned = []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999Z0700"}

func stampText(text string) time.Time {
	for _, form := range zoned {
		if t, err := time.Parse(form, text); err == nil {
			return t
		}
	}
	return time.Time{}
}
