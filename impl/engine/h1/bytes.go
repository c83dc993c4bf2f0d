package h1

import (
	"encoding/binary"
	"math/bits"
	"unsafe"
)

// Classes of bytes.
const (
	inToken  = 1 << iota // of names and methods (RFC 9110, 5.6.2)
	inTarget             // of request targets: no control, blank, DEL or "#"
	inHost               // of registered names, without escapes (RFC 3986, 3.2.2)
	inQuoted             // of quoted strings, without quote and backslash (RFC 9110, 5.6.4)
	inValue              // of field values (RFC 9110, 5.5)
	inLower              // of names in HTTP/2: token without capitals (RFC 9113, 8.2.1)
)

// class tells what a byte may be part of. Bytes beyond ASCII in targets are passed
// on: RFC 3986 has none, clients send them, and every reader sees the same target.
var class = func() (t [256]uint8) {
	for c := range t {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
			t[c] |= inToken | inHost
		}
		if c > ' ' && c != 0x7f && c != '#' {
			t[c] |= inTarget
		}
		if c >= ' ' && c != 0x7f || c == '\t' {
			t[c] |= inValue
			if c != '"' && c != '\\' {
				t[c] |= inQuoted
			}
		}
	}
	for _, c := range []byte("!#$%&'*+-.^_`|~") {
		t[c] |= inToken
	}
	for _, c := range []byte("-._~!$&'()*+,;=") {
		t[c] |= inHost
	}
	for c := range t {
		if t[c]&inToken != 0 && (c < 'A' || c > 'Z') {
			t[c] |= inLower
		}
	}
	return t
}()

func has(c byte, what uint8) bool { return class[c]&what != 0 }

// view returns b as a string without copying it.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// bytesOf is the way back, for reading only.
func bytesOf(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// odd has the lowest high bit that is set in the first byte of w (from the lowest
// on) that is a control byte or DEL; it is 0 when there is none.
func odd(w uint64) uint64 {
	del := w ^ 0x7f*ones
	return ((w-0x20*ones)&^w | (del-ones)&^del) & highs
}

// ValueEnd returns the index from i on of the first byte that is no part of a
// field value (a control byte other than a tab, or DEL); len(s) when there is none.
// It reads two words at a time.
func ValueEnd(s string, i int) int {
	b := bytesOf(s)
	for {
		for len(b)-i >= 16 {
			v := b[i : i+16]
			lo, hi := odd(binary.LittleEndian.Uint64(v)), odd(binary.LittleEndian.Uint64(v[8:]))
			if lo|hi == 0 {
				i += 16
				continue
			}
			if lo == 0 {
				lo, i = hi, i+8
			}
			i += bits.TrailingZeros64(lo) >> 3
			break
		}
		if len(b)-i >= 8 && odd(binary.LittleEndian.Uint64(b[i:])) == 0 {
			i += 8
		}
		for i < len(b) && b[i] >= ' ' && b[i] != 0x7f {
			i++
		}
		if i == len(b) || b[i] != '\t' {
			return i
		}
		i++
	}
}

// named tells whether a name of token bytes is this one, which is given in small
// letters, with nothing but letters and "-". (Setting the bit of small letters
// makes no other token byte one of these.)
func named(name, small string) bool {
	if len(name) != len(small) {
		return false
	}
	for i := range len(small) {
		if name[i]|0x20 != small[i] {
			return false
		}
	}
	return true
}

// IsTarget tells whether s has only bytes that a request target may have.
func IsTarget(s string) bool {
	for i := range len(s) {
		if !has(s[i], inTarget) {
			return false
		}
	}
	return s != ""
}

// IsToken tells whether s is a token, as names and methods are.
func IsToken(s string) bool {
	for i := range len(s) {
		if !has(s[i], inToken) {
			return false
		}
	}
	return s != ""
}

// IsLowerToken tells whether s is a token without capital letters, as names are in
// HTTP/2.
func IsLowerToken(s string) bool {
	for i := range len(s) {
		if !has(s[i], inLower) {
			return false
		}
	}
	return s != ""
}
