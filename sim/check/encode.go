package check

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
)

// tagged is a spec in JSON.
type tagged struct {
	Type  string          `json:"type"`
	Check json.RawMessage `json:"check"`
}

// Encode writes a spec with its type tag. Times are numbers of nanoseconds.
func Encode(s Spec) (json.RawMessage, error) {
	body, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("encode check %s: %w", s.Kind(), err)
	}
	return json.Marshal(tagged{Type: s.Kind(), Check: body})
}

// Decode reads what Encode wrote. Unknown types and fields are errors: a check
// that is only half understood must not judge.
func Decode(b []byte) (Spec, error) {
	var t tagged
	if err := strictly(b, &t); err != nil {
		return nil, fmt.Errorf("decode check: %w", err)
	}
	k, err := KindOf(t.Type)
	if err != nil {
		return nil, fmt.Errorf("decode check: %w", err)
	}
	s := k.New()
	if err := strictly(t.Check, s); err != nil {
		return nil, fmt.Errorf("decode check of type %s: %w", t.Type, err)
	}
	return Of(s), nil
}

func strictly(b []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	return d.Decode(into)
}

// Any is one spec of whatever kind: in YAML the word alone or a mapping with one
// key ("recovers: {within: 5s}", see topology/strict), in JSON what Encode writes.
type Any struct {
	Value Spec // a pointer to the spec after it was read from YAML; see Spec
}

// Variants are the names of the catalogue.
func (*Any) Variants() []string { return names() }

// Variant makes the spec of that name the value and returns a pointer to it, for
// the decoder to fill in; nil when there is none.
func (a *Any) Variant(name string) any {
	k, err := KindOf(name)
	if err != nil {
		return nil
	}
	p := k.New()
	a.Value = p.(Spec)
	return p
}

// Spec is the value itself, also where Value points to it; nil when there is none.
func (a Any) Spec() Spec {
	if v := reflect.ValueOf(a.Value); v.Kind() == reflect.Pointer {
		return Of(a.Value)
	}
	return a.Value
}

// MarshalJSON is Encode.
func (a Any) MarshalJSON() ([]byte, error) {
	if a.Value == nil {
		return nil, fmt.Errorf("encode check: there is none")
	}
	return Encode(a.Value)
}

// UnmarshalJSON is Decode.
func (a *Any) UnmarshalJSON(b []byte) error {
	s, err := Decode(b)
	a.Value = s
	return err
}
