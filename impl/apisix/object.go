package apisix

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
	"sync/atomic"
	"unsafe"

	"github.com/unilb/unilb/impl/apisix/jsontree"
)

// An Object is the JSON of one configuration object: every member exactly as it
// was written (so nothing that a reader might know is lost), and a decoded tree
// to check and to read.
type Object struct {
	raw     []byte
	tree    map[string]any
	printed bool // raw is what Encode returns

	sole atomic.Bool // nothing else has a part of the tree
}

// A SyntaxError says that the text is not JSON.
type SyntaxError struct{ Err error }

func (e *SyntaxError) Error() string { return e.Err.Error() }
func (e *SyntaxError) Unwrap() error { return e.Err }

// Parse reads one JSON object. The error is a *SyntaxError when the text is not
// JSON. What comes of it keeps b, which must not be changed any more.
func Parse(b []byte) (*Object, error) {
	v, err := decode(b)
	if err != nil {
		return nil, &SyntaxError{err}
	}
	tree, ok := v.(map[string]any)
	if !ok {
		// The check of an array would let an empty one pass as an object.
		if items, isList := v.([]any); isList && len(items) == 0 {
			return &Object{raw: []byte("{}"), tree: map[string]any{}}, nil
		}
		return nil, fmt.Errorf("invalid configuration: %w", typeError(v))
	}
	o := &Object{raw: b, tree: tree}
	o.sole.Store(true)
	return o, nil
}

// FromTree makes an object of a tree as encoding/json decodes it with UseNumber.
// The tree must not be changed afterwards.
func FromTree(tree map[string]any) (*Object, error) {
	b, err := marshal(tree)
	if err != nil {
		return nil, fmt.Errorf("encode object: %w", err)
	}
	return &Object{raw: b, tree: tree, printed: true}, nil
}

// Tree returns the object as encoding/json decodes it with UseNumber. It must not
// be changed.
func (o *Object) Tree() map[string]any { return o.tree }

// DecodeSent is Decode for what a client sent, in whose strings control characters may
// stand bare, and returns the text as Parse reads it, too. The error is in the words of
// APISIX's decoder, if that would complain.
func DecodeSent(text []byte) (v any, plain []byte, err error) {
	if v, err = Decode(text); err == nil {
		return v, text, nil
	}
	plain = jsontree.EscapeBare(text)
	v, again := Decode(plain)
	if again == nil {
		return v, plain, nil
	}
	if words := jsontree.Complaint(textOf(text)); words != "" {
		err = &SyntaxError{errors.New(words)}
	}
	return nil, nil, err
}

// Decode reads one JSON value as Parse does objects.
func Decode(b []byte) (any, error) {
	v, err := decode(b)
	if err != nil {
		return nil, &SyntaxError{err}
	}
	return v, nil
}

func typeError(v any) error { return routeSchema().Validate(v) }

func decode(b []byte) (any, error) {
	if v, ok := jsontree.Decode(textOf(b)); ok {
		return v, nil
	}
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

// Release gives back the memory of the tree: nobody may read the object any more, nor
// objects and lists of it that were handed out as trees. Texts and numbers stay what they are.
// It does nothing with an object that shares its tree: a copy, one that has copies, or one
// made of a tree. It pays where many are read, one after the other; nobody has to call it.
func (o *Object) Release() {
	if !o.sole.Load() {
		return
	}
	jsontree.Release(o.tree)
	o.tree, o.raw = nil, nil
}

// Has reports whether the object has a member of that name.
func (o *Object) Has(name string) bool {
	_, ok := o.tree[name]
	return ok
}

// Value returns a member as encoding/json decodes it with UseNumber; nil when
// absent or null. It must not be changed.
func (o *Object) Value(name string) any { return o.tree[name] }

// Text returns a member as it was written; nil when absent. It must not be changed.
func (o *Object) Text(name string) json.RawMessage {
	return bytesOf(jsontree.Member(textOf(o.raw), name))
}

// Members yields the members of a member that is an object, as Text returns them.
func (o *Object) Members(name string) iter.Seq2[string, json.RawMessage] {
	return func(yield func(string, json.RawMessage) bool) {
		for name, text := range jsontree.Members(jsontree.Member(textOf(o.raw), name)) {
			if !yield(name, bytesOf(text)) {
				return
			}
		}
	}
}

// textOf and bytesOf let text and bytes share memory, which nobody changes.
func textOf(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

func bytesOf(text string) []byte {
	if text == "" {
		return nil
	}
	return unsafe.Slice(unsafe.StringData(text), len(text))
}

// With returns a copy in which the given members are set; the others stay as
// they were written. The copy has not been checked.
func (o *Object) With(set map[string]any) (*Object, error) {
	tree := o.shareTree()
	texts := make(map[string]string, len(set))
	for name, v := range set {
		b, err := marshal(v)
		if err != nil {
			return nil, fmt.Errorf("encode %s: %w", name, err)
		}
		texts[name] = textOf(b)
		if tree[name], err = decode(b); err != nil {
			return nil, fmt.Errorf("encode %s: %w", name, err)
		}
	}
	return &Object{raw: jsontree.AppendObject(make([]byte, 0, len(o.raw)+64*len(set)), textOf(o.raw), texts), tree: tree, printed: true}, nil
}

// Without returns a copy that lacks some members.
func (o *Object) Without(names ...string) (*Object, error) {
	tree := o.shareTree()
	gone := make(map[string]string, len(names))
	for _, name := range names {
		delete(tree, name)
		gone[name] = ""
	}
	return &Object{raw: jsontree.AppendObject(make([]byte, 0, len(o.raw)), textOf(o.raw), gone), tree: tree, printed: true}, nil
}

// shareTree is the tree of a copy, which has what is below its members in common with o.
func (o *Object) shareTree() map[string]any {
	o.sole.Store(false)
	return maps.Clone(o.tree)
}

// Encode returns the object as one compact JSON object, its members in the order of
// their names. It must not be changed.
func (o *Object) Encode() ([]byte, error) {
	if o.printed {
		return slices.Clip(o.raw), nil
	}
	return jsontree.AppendObject(make([]byte, 0, len(o.raw)), textOf(o.raw), nil), nil
}

// marshal prints v compactly, without the HTML escapes that encoding/json adds
// by itself.
func marshal(v any) ([]byte, error) {
	if text, ok := jsontree.Append(nil, v); ok {
		return text, nil
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}
