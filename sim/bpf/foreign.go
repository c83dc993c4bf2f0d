package bpf

import (
	"bytes"
	"encoding/binary"
)

// numberSize is how many bytes of a foreign key say the how manieth it is. The
// others are a hash of that, so that a key tells whether it is one.
const numberSize = 8

// foreignKey writes the foreign key with the number.
func foreignKey(key []byte, seed, number uint64) {
	binary.LittleEndian.PutUint64(key, number^seed)
	var word [8]byte
	for at := numberSize; at < len(key); at += len(word) {
		number = mix(number ^ mix(seed))
		binary.LittleEndian.PutUint64(word[:], number)
		copy(key[at:], word[:])
	}
}

// wrote reports whether a key is one that Fill writes with the seed.
func (t *Table) wrote(key []byte, seed uint64) bool {
	number := binary.LittleEndian.Uint64(key) ^ seed
	if number >= uint64(t.writes()) {
		return false
	}
	var want [maxBytes]byte
	foreignKey(want[:len(key)], seed, number)
	return bytes.Equal(key, want[:len(key)])
}

// mix is the output function of splitmix64.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
