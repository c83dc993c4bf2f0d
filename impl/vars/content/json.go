package content

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
)

const (
	// MaxDepth bounds how deep arrays and objects of JSON lie in each other.
	MaxDepth = 64
	// MaxValues bounds the arrays, objects and commas of JSON: what it takes to read a
	// body goes by them more than by its length.
	MaxValues = 100_000
)

// ParseJSON reads one JSON value, as encoding/json decodes it with UseNumber: of a name
// that an object has twice the last counts.
func ParseJSON(body []byte) (any, error) {
	switch deepest, values := extent(body); {
	case deepest > MaxDepth:
		return nil, beyond("JSON nested deeper than %d", MaxDepth)
	case values > MaxValues:
		return nil, beyond("JSON of more than %d values", MaxValues)
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

// extent is how deep brackets lie in each other, and how many there are with the commas,
// those in strings left out.
func extent(body []byte) (deepest, values int) {
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
			values++
			deepest = max(deepest, at)
		case c == ']' || c == '}':
			at--
		case c == ',':
			values++
		}
	}
	return deepest, values
}
