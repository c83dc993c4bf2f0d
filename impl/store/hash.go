package store

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
)

// A Hash tells the contents of directories apart: it is the sum, modulo 2^64, of what
// HashOf says of each object. So it does not depend on their order, and one object is
// changed in it by subtracting what it was and adding what it is. The zero Hash is that
// of an empty directory.
//
// It finds accidents: who can choose values can make two contents equal.
type Hash uint64

// HashOf is what an object adds to the Hash of its directory: the first 8 bytes, big
// endian, of SHA-256(key, 0, value). The names of directories, which end in a slash and
// which APISIX keeps as placeholders, add nothing.
func HashOf(key string, value []byte) Hash {
	if strings.HasSuffix(key, "/") {
		return 0
	}
	const usual = 2048 // bytes of an object; larger ones cost an allocation
	b := make([]byte, 0, usual)
	b = append(append(append(b, key...), 0), value...)
	sum := sha256.Sum256(b)
	return Hash(binary.BigEndian.Uint64(sum[:]))
}

// String returns 16 hex digits.
func (h Hash) String() string { return fmt.Sprintf("%016x", uint64(h)) }

// MarshalText is String.
func (h Hash) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText reads 16 hex digits.
func (h *Hash) UnmarshalText(b []byte) error {
	v, err := strconv.ParseUint(string(b), 16, 64)
	if err != nil || len(b) != 16 {
		return fmt.Errorf("hash %q: want 16 hex digits", b)
	}
	*h = Hash(v)
	return nil
}
