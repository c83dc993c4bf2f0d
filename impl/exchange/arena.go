package exchange

import "unsafe"

// ArenaKeep is the size in bytes of the memory an arena keeps between
// exchanges. An exchange that needed more gives the rest to the collector.
const ArenaKeep = 8 << 10

// Arena is the memory of one exchange: strings that must live until the
// exchange ends and no longer. The zero value is ready for use.
type Arena struct {
	buf   []byte   // the current chunk; len is what is used of it
	first []byte   // the chunk that Reset keeps
	spill [][]byte // full chunks other than the first, for Poison
}

// Copy returns a copy of s that lives until Reset.
func (a *Arena) Copy(s string) string {
	if s == "" {
		return ""
	}
	b := a.grow(len(s))
	b = append(b, s...)
	return a.commit(b)
}

// CopyBytes returns a copy of b that lives until Reset. It must not be changed.
func (a *Arena) CopyBytes(b []byte) []byte {
	dst := append(a.grow(len(b)), b...)
	a.buf = a.buf[:len(a.buf)+len(b)]
	return dst
}

// Concat returns the concatenation of parts; it lives until Reset.
func (a *Arena) Concat(parts ...string) string {
	n := 0
	for _, p := range parts {
		n += len(p)
	}
	if n == 0 {
		return ""
	}
	b := a.grow(n)
	for _, p := range parts {
		b = append(b, p...)
	}
	return a.commit(b)
}

// Append lets f append at most n bytes to an empty slice of the arena and
// returns them as a string. More than n bytes are correct but leave the arena.
func (a *Arena) Append(n int, f func([]byte) []byte) string {
	b := f(a.grow(n))
	if len(b) > n {
		return string(b)
	}
	return a.commit(b)
}

// grow returns an empty slice with room for n bytes at the end of the chunk.
func (a *Arena) grow(n int) []byte {
	if cap(a.buf)-len(a.buf) < n {
		size := max(n, ArenaKeep)
		chunk := make([]byte, 0, size)
		if a.first == nil && size == ArenaKeep {
			a.first = chunk
		} else {
			a.spill = append(a.spill, chunk)
		}
		a.buf = chunk
	}
	return a.buf[len(a.buf):len(a.buf):cap(a.buf)]
}

func (a *Arena) commit(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	a.buf = a.buf[:len(a.buf)+len(b)]
	return unsafe.String(unsafe.SliceData(b), len(b))
}

// Reset ends the life of every string of the arena.
func (a *Arena) Reset() {
	a.buf = a.first[:0]
	clear(a.spill)
	a.spill = a.spill[:0]
}

// Poison overwrites the memory of the arena, so that a test sees the use of a
// string after its exchange.
func (a *Arena) Poison(with byte) {
	fill := func(b []byte) {
		b = b[:cap(b)]
		for i := range b {
			b[i] = with
		}
	}
	fill(a.first)
	for _, c := range a.spill {
		fill(c)
	}
}
