package jsontree

import (
	"encoding/json"
	"slices"
)

// Append prints a tree as encoding/json does, with members in the order of their names and
// without its HTML escapes. ok is false when there is something in it that Decode does not
// make, for encoding/json to say what it thinks of it.
func Append(to []byte, v any) (out []byte, ok bool) {
	switch v := v.(type) {
	case nil:
		return append(to, "null"...), true
	case bool:
		if v {
			return append(to, "true"...), true
		}
		return append(to, "false"...), true
	case string:
		return appendName(to, v), true
	case json.Number:
		return appendNumber(to, v)
	case []any:
		if v == nil {
			return to, false // null
		}
		to = append(to, '[')
		for i, item := range v {
			if i > 0 {
				to = append(to, ',')
			}
			if to, ok = Append(to, item); !ok {
				return to, false
			}
		}
		return append(to, ']'), true
	case map[string]any:
		return appendMembers(to, v)
	}
	return to, false
}

func appendMembers(to []byte, m map[string]any) (out []byte, ok bool) {
	if m == nil {
		return to, false // null
	}
	var first [24]string
	names := first[:0]
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	to = append(to, '{')
	for i, name := range names {
		if i > 0 {
			to = append(to, ',')
		}
		to = append(appendName(to, name), ':')
		if to, ok = Append(to, m[name]); !ok {
			return to, false
		}
	}
	return append(to, '}'), true
}

// appendNumber prints a whole number that needs no look; others are for encoding/json.
func appendNumber(to []byte, n json.Number) (out []byte, ok bool) {
	digits := n
	if len(n) > 1 && n[0] == '-' {
		digits = n[1:]
	}
	plain := len(digits) > 0 && (digits[0] != '0' || len(digits) == 1)
	for i := range len(digits) {
		plain = plain && digits[i] >= '0' && digits[i] <= '9'
	}
	if !plain {
		text, err := json.Marshal(n)
		return append(to, text...), err == nil
	}
	return append(to, n...), true
}
