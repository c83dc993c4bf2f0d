package apisix

import (
	"encoding/json"
	"math/big"
	"strconv"
)

// IDText returns an id as it appears in keys. A whole number has all its digits, however
// it was written, so that no two have one key; another, which is no id, is as it was.
func IDText(v any) string {
	switch t := v.(type) {
	case string:
		return t
	case json.Number:
		if n, err := t.Int64(); err == nil {
			return strconv.FormatInt(n, 10)
		}
		return digitsOf(t)
	}
	return ""
}

// digitsOf writes out a whole number of up to 64 digits, as many as an id may have.
func digitsOf(n json.Number) string {
	const longest = 1 << 7 // of a text that is read: an exponent may make numbers of any size of it
	f, err := n.Float64()
	if size := max(f, -f); err != nil || size < 1 || size >= 1e64 || len(n) > longest {
		return string(n)
	}
	if r, ok := new(big.Rat).SetString(string(n)); ok && r.IsInt() {
		return r.Num().String()
	}
	return string(n)
}
