package apisix

import (
	"bytes"
	"encoding/json"
	"fmt"
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
	members []jsontree.Member
	tree    map[string]any

	sole atomic.Bool // nothing else has a part of the tree
}

// A SyntaxError says that the text is not JSON.
type SyntaxError struct{ Err error }

func (e *SyntaxError) Error() string { return e.Err.Error() }
func (e *SyntaxError) Unwrap() error { return e.Err }

// Parse reads one JSON object. The error is a *SyntaxError when the text is not
// JSON. What comes of it keeps b, which must not be changed any more.
func Parse(b []byte) (*Object, error) {
	d, err := read(b)
	if err != nil {
		return nil, err
	}
	return d.Object()
}

// FromTree makes an object of a tree as encoding/json decodes it with UseNumber.
// The tree must not be changed afterwards.
func FromTree(tree map[string]any) (*Object, error) {
	o := &Object{tree: tree, members: make([]jsontree.Member, 0, len(tree))}
	for name, v := range tree {
		b, err := marshal(v)
		if err != nil {
			return nil, fmt.Errorf("encode object: %w", err)
		}
		o.members = append(o.members, jsontree.Member{Name: name, Text: textOf(b)})
	}
	return o, nil
}

// Tree returns the object as encoding/json decodes it with UseNumber. It must not
// be changed.
func (o *Object) Tree() map[string]any { return o.tree }

// Release gives back the memory of the tree: nobody may read the object any more, nor
// objects and lists of it that were handed out as trees. Texts and numbers stay what they are.
// It does nothing with an object that shares its tree: a copy, one that has copies, or one
// made of a tree. It pays where many are read, one after the other; nobody has to call it.
func (o *Object) Release() {
	if !o.sole.Load() {
		return
	}
	jsontree.Release(o.tree, o.members)
	o.tree, o.members = nil, nil
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
func (o *Object) Text(name string) json.RawMessage { return bytesOf(o.text(name)) }

// text is a member as it was written: of several of one name, as always, the last.
func (o *Object) text(name string) string {
	for _, m := range slices.Backward(o.members) {
		if m.Name == name {
			return m.Text
		}
	}
	return ""
}

// Members yields the members of a member that is an object, as Text returns them.
func (o *Object) Members(name string) iter.Seq2[string, json.RawMessage] {
	return func(yield func(string, json.RawMessage) bool) {
		for name, text := range jsontree.Members(o.text(name)) {
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
	texts := make(map[string]string, len(set))
	for name, v := range set {
		b, err := marshal(v)
		if err != nil {
			return nil, fmt.Errorf("encode %s: %w", name, err)
		}
		texts[name] = textOf(b)
	}
	return o.withTexts(texts)
}

// withTexts is With for members that are printed.
func (o *Object) withTexts(set map[string]string) (*Object, error) {
	c := o.copied(len(set), func(name string) bool { _, gone := set[name]; return gone })
	for name, text := range set {
		v, err := Decode([]byte(text))
		if err != nil {
			return nil, fmt.Errorf("encode %s: %w", name, err)
		}
		c.tree[name] = v
		c.members = append(c.members, jsontree.Member{Name: name, Text: text})
	}
	return c, nil
}

// Without returns a copy that lacks some members.
func (o *Object) Without(names ...string) *Object {
	c := o.copied(0, func(name string) bool { return slices.Contains(names, name) })
	for _, name := range names {
		delete(c.tree, name)
	}
	return c
}

// copied is a copy, which has what is below its members in common with o, without the
// texts of some and with room for more.
func (o *Object) copied(more int, gone func(name string) bool) *Object {
	o.sole.Store(false)
	c := &Object{tree: maps.Clone(o.tree), members: make([]jsontree.Member, 0, len(o.members)+more)}
	for _, m := range o.members {
		if !gone(m.Name) {
			c.members = append(c.members, m)
		}
	}
	return c
}

// Encode returns the object as one compact JSON object, its members in the order of
// their names.
func (o *Object) Encode() []byte {
	size := 2
	for _, m := range o.members {
		size += len(m.Name) + len(m.Text) + len(`"":,`)
	}
	return jsontree.AppendObject(make([]byte, 0, size), o.members)
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
