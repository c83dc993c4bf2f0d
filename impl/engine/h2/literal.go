package h2

// writer is a slice that can be written to.
type writer []byte

func (w *writer) Write(p []byte) (int, error) {
	*w = append(*w, p...)
	return len(p), nil
}

// encoded is a string as it stands in a header block.
type encoded struct {
	huffman bool
	b       []byte
}

// maxNumber bounds the integers of header blocks: nobody has larger indices, strings
// or tables.
const maxNumber = 1<<31 - 1

// number reads an integer with a prefix of so many bits (RFC 7541, 5.1), and returns
// how long it is; 0: it is cut off or too large.
func number(p []byte, bits uint) (v uint64, n int) {
	if len(p) == 0 {
		return 0, 0
	}
	most := uint64(1)<<bits - 1
	if v = uint64(p[0]) & most; v < most {
		return v, 1
	}
	for n = 1; n < len(p) && n < 7; n++ {
		v += uint64(p[n]&0x7f) << (7 * (n - 1))
		switch {
		case v > maxNumber:
			return 0, 0
		case p[n] < 0x80:
			return v, n + 1
		}
	}
	return 0, 0
}

// appendNumber writes an integer behind the upper bits of its first byte.
func appendNumber(dst []byte, first byte, bits uint, v uint64) []byte {
	most := uint64(1)<<bits - 1
	if v < most {
		return append(dst, first|byte(v))
	}
	dst = append(dst, first|byte(most))
	for v -= most; v >= 0x80; v >>= 7 {
		dst = append(dst, byte(v)|0x80)
	}
	return append(dst, byte(v))
}

// text reads a string (RFC 7541, 5.2), and returns how long it is with its length; 0:
// it is cut off.
func text(p []byte) (s encoded, n int) {
	size, n := number(p, 7)
	if n == 0 || size > uint64(len(p)-n) {
		return s, 0
	}
	end := n + int(size)
	return encoded{p[0] >= 0x80, p[n:end]}, end
}

// literal reads a field that is not in a table, with the index of its name in so many
// bits, or 0 and its name (RFC 7541, 6.2); n is how long it is, 0: it is cut off.
func literal(p []byte, bits uint) (index uint64, name, value encoded, n int) {
	index, n = number(p, bits)
	if n == 0 {
		return 0, name, value, 0
	}
	if index == 0 {
		s, k := text(p[n:])
		if k == 0 {
			return 0, name, value, 0
		}
		name, n = s, n+k
	}
	value, k := text(p[n:])
	if k == 0 {
		return 0, name, value, 0
	}
	return index, name, value, n + k
}
