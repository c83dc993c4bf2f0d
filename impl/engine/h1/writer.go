package h1

import (
	"slices"
	"strconv"

	"github.com/unilb/unilb/impl/exchange"
)

// writer appends the fields of one head.
type writer struct {
	b     []byte
	own   func(name string) bool // the fields that the engine writes itself
	known marks                  // their marks, and those of what is noted

	te    bool // a field TE was written
	dated bool // a field Date was written
}

// marks is a set of names, by which most fields pass without being compared: a
// name that is not in it has no mark there, but one that has may be another.
type marks uint64

// mark is the one of a name that is not empty; letters count without case.
func mark(name string) marks {
	first, last := name[0]|0x20, name[len(name)-1]|0x20
	return 1 << ((uint(len(name))*7 + uint(first)*5 + uint(last)) & 63)
}

func marksOf(names ...string) (m marks) {
	for _, n := range names {
		m |= mark(n)
	}
	return m
}

// fields writes what exchange.Apply would leave, without the engine's own.
func (w *writer) fields(fields exchange.Fields, edits exchange.Edits) {
	known, edited, twice := w.known, marks(0), false
	for i := range edits {
		if e := &edits[i]; e.Op != exchange.OpAdd && e.Name != "" {
			m := mark(e.Name)
			twice = twice || edited&m != 0
			edited |= m
		}
	}
	known |= edited
	for i := range fields {
		f := &fields[i]
		if f.Name == "" {
			continue
		}
		if known&mark(f.Name) != 0 {
			if touches(edits, f.Name) || w.own(f.Name) {
				continue
			}
			w.note(f.Name)
		}
		w.field(f.Name, f.Value)
	}
	for i := range edits {
		e := &edits[i]
		if e.Op == exchange.OpRemove || !e.Sound && !IsToken(e.Name) {
			continue
		}
		if m := mark(e.Name); (twice || e.Op == exchange.OpAdd && edited&m != 0) && touches(edits[i+1:], e.Name) {
			continue
		} else if w.known&m != 0 {
			if w.own(e.Name) {
				continue
			}
			w.note(e.Name)
		}
		if e.Sound {
			w.field(e.Name, e.Value)
			continue
		}
		w.clean(e.Name, e.Value)
	}
}

// touches tells whether any edit replaces or removes the fields of that name.
func touches(edits exchange.Edits, name string) bool {
	for i := range edits {
		if edits[i].Op != exchange.OpAdd && exchange.EqualFold(edits[i].Name, name) {
			return true
		}
	}
	return false
}

// field writes a line.
func (w *writer) field(name, value string) {
	n, need := len(w.b), len(name)+len(value)+len(": \r\n")
	w.b = slices.Grow(w.b, need)[:n+need]
	line := w.b[n:]
	k := copy(line, name)
	line[k], line[k+1] = ':', ' '
	k += 2
	k += copy(line[k:], value)
	line[k], line[k+1] = '\r', '\n'
}

// clean writes a line whose value nobody has checked.
func (w *writer) clean(name, value string) {
	if ValueEnd(value, 0) == len(value) {
		w.field(name, value)
		return
	}
	w.b = append(w.b, name...)
	w.b = append(w.b, ": "...)
	w.b = appendValue(w.b, value)
	w.b = append(w.b, "\r\n"...)
}

// note remembers what else depends on.
func (w *writer) note(name string) {
	switch len(name) {
	case len("TE"):
		w.te = w.te || exchange.EqualFold(name, "TE")
	case len("Date"):
		w.dated = w.dated || exchange.EqualFold(name, "Date")
	}
}

func (w *writer) framing(f OutFraming) {
	switch {
	case f.Length >= 0:
		w.b = append(w.b, "Content-Length: "...)
		w.b = strconv.AppendInt(w.b, f.Length, 10)
		w.b = append(w.b, "\r\n"...)
	case f.Length == Chunked:
		w.b = append(w.b, "Transfer-Encoding: chunked\r\n"...)
		w.announce(f.Trailer)
	}
}

// announce writes the names of trailers to come.
func (w *writer) announce(names exchange.Fields) {
	sep := "Trailer: "
	for _, t := range names {
		if !IsToken(t.Name) || DropTrailer(t.Name) {
			continue
		}
		w.b = append(w.b, sep...)
		w.b = append(w.b, t.Name...)
		sep = ", "
	}
	if sep == ", " {
		w.b = append(w.b, "\r\n"...)
	}
}

// connection writes the options of a request's connection. TE is one of its fields
// (RFC 9110 10.1.4).
func (w *writer) connection(upgrade, last bool) {
	sep := "Connection: "
	for _, option := range [...]struct {
		on   bool
		name string
	}{{upgrade, "Upgrade"}, {w.te, "TE"}, {last, "close"}} {
		if option.on {
			w.b = append(w.b, sep...)
			w.b = append(w.b, option.name...)
			sep = ", "
		}
	}
	if sep == ", " {
		w.b = append(w.b, "\r\n"...)
	}
}

// appendValue appends a value with blanks in place of what no value may hold.
func appendValue(dst []byte, s string) []byte {
	for {
		i := ValueEnd(s, 0)
		dst = append(dst, s[:i]...)
		if i == len(s) {
			return dst
		}
		dst = append(dst, ' ')
		s = s[i+1:]
	}
}

// AppendTarget appends a target with escapes in place of what no target may hold.
func AppendTarget(dst []byte, s string) []byte {
	const digits = "0123456789ABCDEF"
	clean := 0
	for i := range len(s) {
		if c := s[i]; !has(c, inTarget) {
			dst = append(dst, s[clean:i]...)
			dst = append(dst, '%', digits[c>>4], digits[c&15])
			clean = i + 1
		}
	}
	return append(dst, s[clean:]...)
}
