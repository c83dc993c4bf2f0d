package content

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
)

// MaxDepth bounds how deep arrays and objects of JSON lie in each other.
const MaxDepth = 64

// ParseJSON reads one JSON value, as encoding/json decodes it with UseNumber: of a name
// that an object has twice the last counts.
func ParseJSON(body []byte) (any, error) {
	if depth(body) > MaxDepth {
		return nil, beyond("JSON nested deeper than %d", MaxDepth)
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber() // one that no float can hold spoils nothing
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows the JSON value")
	}
	return v, nil
}

// depth is how deep brackets lie in each other, those in strings left out.
func depth(body []byte) (deepest int) {
	at, inString := 0, false
	for i := 0; i < len(body); i++ {
		switch c := body[i]; {
		case c == '"':
			inString = !inString
		case inString && c == '\\':
			i++ // what follows ends no string
		case inString:
		case c == '[' || c == '{':
			at++
			deepest = max(deepest, at)
		case c == ']' || c == '}':
			at--
		}
	}
	return deepest
}
