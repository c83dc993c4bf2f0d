package h2

import (
	"strconv"

	"github.com/unilb/unilb/impl/engine/h1"
)

// An encoder writes header blocks. It uses the other side's dynamic table for the last
// few values of fields that repeat (the type of the content, the date, the server),
// and writes everything else as it is: what Huffman coding would save of the rest
// costs more time than anything else about a message. The zero value is ready.
type encoder struct {
	recent *recent
	mute   bool // the other side's table is too small to be of use
	shrink bool // and has to be told so
}

// recent is what the last entries of the other side's table are. All of them together are
// smaller than the table that everybody has (see forget), so that none of them is
// evicted before it is overwritten here.
type recent struct {
	count   int // entries that were ever made
	entries [recentEntries]entry
}

const (
	recentEntries = 16 // of at most 27 (the longest name) + recentValue + 32 bytes each
	recentValue   = 64
	firstDynamic  = len(static) + 1
)

type entry struct {
	index uint8 // of its name
	n     uint8
	value [recentValue]byte
}

// forget ends the use of the dynamic table.
func (e *encoder) forget() {
	if !e.mute {
		e.recent, e.mute, e.shrink = nil, true, true
	}
}

// begin is called for each header block, before its fields.
func (e *encoder) begin(b []byte) []byte {
	if e.shrink {
		e.shrink = false
		b = append(b, 0x20) // a table of 0 bytes
	}
	return b
}

func (e *encoder) status(b []byte, status int) []byte {
	switch status {
	case 200:
		return append(b, 0x80|index200)
	case 204:
		return append(b, 0x80|index200+1)
	case 206:
		return append(b, 0x80|index200+2)
	case 304:
		return append(b, 0x80|index200+3)
	case 400:
		return append(b, 0x80|index200+4)
	case 404:
		return append(b, 0x80|index200+5)
	case 500:
		return append(b, 0x80|index200+6)
	}
	b = append(b, indexStatus, 0)
	at := len(b)
	b = strconv.AppendInt(b, int64(status), 10)
	b[at-1] = byte(len(b) - at)
	return b
}

func (e *encoder) length(b []byte, n int64) []byte {
	b = append(appendNumber(b, 0, 4, indexContentLength), 0)
	at := len(b)
	b = strconv.AppendInt(b, n, 10)
	b[at-1] = byte(len(b) - at)
	return b
}

// field writes a field whose name is a token.
func (e *encoder) field(b []byte, name, value string) []byte {
	value = cleaned(value)
	var buf [32]byte // longer than each name that has an index
	if len(name) > len(buf) {
		b = appendNumber(append(b, 0), 0, 7, uint64(len(name)))
		for i := range len(name) {
			b = append(b, lower(name[i]))
		}
		return appendText(b, value)
	}
	for i := range len(name) {
		buf[i] = lower(name[i])
	}
	low := buf[:len(name)]
	index := indexOf(low)
	switch {
	case index == 0:
		b = append(b, 0, byte(len(low)))
		b = append(b, low...)
	case secret>>index&1 == 1: // and let nobody remember it
		b = appendNumber(b, 0x10, 4, uint64(index))
	case remembered>>index&1 == 1 && len(value) <= recentValue && !e.mute:
		if i := e.find(index, value); i > 0 {
			return appendNumber(b, 0x80, 7, uint64(i))
		}
		e.remember(index, value)
		b = appendNumber(b, 0x40, 6, uint64(index))
	default:
		b = appendNumber(b, 0, 4, uint64(index))
	}
	return appendText(b, value)
}

// find returns the index of an entry; 0: there is none.
func (e *encoder) find(index uint8, value string) int {
	r := e.recent
	if r == nil {
		return 0
	}
	for i := range r.entries {
		x := &r.entries[i]
		if x.index == index && string(x.value[:x.n]) == value {
			age := (r.count - 1 - i) % recentEntries
			return firstDynamic + age
		}
	}
	return 0
}

func (e *encoder) remember(index uint8, value string) {
	if e.recent == nil {
		e.recent = new(recent)
	}
	r := e.recent
	x := &r.entries[r.count%recentEntries]
	x.index, x.n = index, uint8(copy(x.value[:], value))
	r.count++
}

func appendText(b []byte, s string) []byte {
	return append(appendNumber(b, 0, 7, uint64(len(s))), s...)
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c | 0x20
	}
	return c
}

// cleaned returns a value without what no value may have: blanks for control bytes,
// and none at the ends.
func cleaned(s string) string {
	if h1.ValueEnd(s, 0) != len(s) {
		b := []byte(s) // rare: parsers let none through
		for i := range b {
			if h1.ValueEnd(s[i:i+1], 0) == 0 {
				b[i] = ' '
			}
		}
		s = string(b)
	}
	for s != "" && (s[0] == ' ' || s[0] == '\t') {
		s = s[1:]
	}
	for s != "" && (s[len(s)-1] == ' ' || s[len(s)-1] == '\t') {
		s = s[:len(s)-1]
	}
	return s
}
