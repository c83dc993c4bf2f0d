package h2

import "testing"

func TestIntegersOfHeaderBlocks(t *testing.T) {
	for text, c := range map[string]struct {
		bits uint
		want uint64
		n    int
	}{
		"": {5, 0, 0}, "\x0a": {5, 10, 1}, "\xea": {5, 10, 1}, "\x1f\x9a\x0a": {5, 1337, 3}, "\x1f\x00": {5, 31, 2}, "\x1f": {5, 0, 0}, "\x1f\x9a": {5, 0, 0}, "\x2a": {8, 42, 1},
		"\x7f\x80\xff\xff\xff\x07": {7, 1<<31 - 1, 6}, "\x7f\x81\xff\xff\xff\x07": {7, 0, 0}, "\x7f\x80\x80\x80\x80\x80\x00": {7, 127, 7},
		"\x7f\x80\x80\x80\x80\x80\x80\x00": {7, 0, 0}, "\x7f\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f": {7, 0, 0},
	} {
		v, n := number([]byte(text), c.bits)
		if v != c.want || n != c.n {
			t.Errorf("%q with %d bits: got %d in %d bytes, want %d in %d", text, c.bits, v, n, c.want, c.n)
		}
	}
	for _, bits := range []uint{4, 5, 6, 7} {
		for v := uint64(0); v < maxNumber; v = v*5/4 + 1 {
			b := appendNumber(nil, 0, bits, v)
			if got, n := number(append(b, 0xff), bits); got != v || n != len(b) {
				t.Fatalf("%d with %d bits: got %d in %d of %d bytes", v, bits, got, n, len(b))
			}
		}
	}
}
