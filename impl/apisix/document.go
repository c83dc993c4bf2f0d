package apisix

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/unilb/unilb/impl/apisix/jsontree"
)

// A Document is one JSON value that was read.
type Document struct {
	value   any
	members []jsontree.Member // of an object
}

// ReadSent reads what a client sent, in whose strings control characters may stand bare.
// The error is a *SyntaxError, in the words of APISIX's decoder if that would complain: of
// JSON, too, that data planes could not read again. What comes of it keeps text, which must
// not be changed any more.
func ReadSent(text []byte) (*Document, error) {
	d, err := read(text)
	if err != nil {
		if again, aerr := read(jsontree.EscapeBare(text)); aerr == nil {
			d, err = again, nil
		}
	}
	if err == nil && !jsontree.Doubtful(textOf(text)) {
		return &d, nil
	}
	if words := jsontree.Complaint(textOf(text)); words != "" {
		err = &SyntaxError{errors.New(words)}
	}
	if err != nil {
		return nil, err
	}
	return &d, nil
}

// TooDeep reports whether a value is nested deeper than ReadSent lets pass.
func TooDeep(v any) bool { return jsontree.TooDeep(v) }

// Value returns the value as encoding/json decodes it with UseNumber. An object that was
// made of the document has it, too.
func (d *Document) Value() any { return d.value }

// Object returns the value as a configuration object, or why it is none. Of one document
// there may be one object.
func (d *Document) Object() (*Object, error) {
	tree, ok := d.value.(map[string]any)
	if !ok {
		// The check of an array would let an empty one pass as an object.
		if items, isList := d.value.([]any); isList && len(items) == 0 {
			return &Object{tree: map[string]any{}}, nil
		}
		return nil, fmt.Errorf("invalid configuration: %w", typeError(d.value))
	}
	o := &Object{members: d.members, tree: tree}
	o.sole.Store(true)
	return o, nil
}

func typeError(v any) error { return routeSchema().Validate(v) }

// Decode reads one JSON value as Parse does objects.
func Decode(b []byte) (any, error) {
	d, err := read(b)
	return d.value, err
}

// MemberOf returns a member of a JSON object, as Decode has it; nil: there is none. It is for
// who needs but the one, and has the text read without a tree.
func MemberOf(object []byte, name string) any {
	if !json.Valid(object) {
		return nil
	}
	v, err := Decode(bytesOf(jsontree.Find(textOf(object), name)))
	if err != nil {
		return nil
	}
	return v
}

func read(b []byte) (Document, error) {
	text := textOf(b)
	if v, members, ok := jsontree.Decode(text); ok {
		return Document{v, members}, nil
	}
	v, err := decode(b)
	if err != nil {
		return Document{}, &SyntaxError{err}
	}
	d := Document{value: v}
	for name, value := range jsontree.Members(text) {
		d.members = append(d.members, jsontree.Member{Name: name, Text: value})
	}
	return d, nil
}

// decode reads what is not ordinary.
func decode(b []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		var syntax *json.SyntaxError
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			return nil, fmt.Errorf("unexpected end of JSON input at byte %d", len(b))
		case errors.As(err, &syntax):
			return nil, fmt.Errorf("%w at byte %d", err, syntax.Offset)
		}
		return nil, err
	}
	if more := bytes.TrimLeft(b[d.InputOffset():], " \t\r\n"); len(more) > 0 {
		return nil, fmt.Errorf("more text after the JSON value at byte %d", len(b)-len(more)+1)
	}
	return v, nil
}
