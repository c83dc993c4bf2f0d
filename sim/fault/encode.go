package fault

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// tagged is a fault in JSON.
type tagged struct {
	Type  string          `json:"type"`
	Fault json.RawMessage `json:"fault"`
}

// Encode writes a fault with its type tag.
func Encode(f Fault) (json.RawMessage, error) {
	body, err := json.Marshal(f)
	if err != nil {
		return nil, fmt.Errorf("encode fault %q: %w", f, err)
	}
	return json.Marshal(tagged{Type: f.Kind(), Fault: body})
}

// Decode reads what Encode wrote. Unknown types and fields are errors: a fault
// that is only half understood must not be reverted by guess.
func Decode(b []byte) (Fault, error) {
	var t tagged
	if err := strict(b, &t); err != nil {
		return nil, fmt.Errorf("decode fault: %w", err)
	}
	k, err := KindOf(t.Type)
	if err != nil {
		return nil, fmt.Errorf("decode fault: %w", err)
	}
	f := k.New()
	if err := strict(t.Fault, f); err != nil {
		return nil, fmt.Errorf("decode fault of type %s: %w", t.Type, err)
	}
	return Of(f), nil
}

func strict(b []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	return d.Decode(into)
}
