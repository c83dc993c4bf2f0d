package strict

import (
	"fmt"
	"reflect"
	"strings"
)

// A Union is a value that is written as one of several words: as a mapping with
// exactly one key ("{kill: {on: bj/az1/l7-1}}") or, where the word needs no values,
// as the word alone ("at-most-once"). A type is a union when a pointer to it has
// these methods. Limits within a union are known only to the Source of a file.
type Union interface {
	// Variants are the words there are.
	Variants() []string
	// Variant makes the value that belongs to one of the words the union's own
	// and returns a pointer to it, for the decoder to fill in.
	Variant(name string) any
}

// unionOf is the union at v, or nil.
func unionOf(v reflect.Value) Union {
	if !v.CanAddr() {
		return nil
	}
	u, _ := v.Addr().Interface().(Union) // nil when it is none
	return u
}

func isUnion(t reflect.Type) bool { return reflect.PointerTo(t).Implements(reflect.TypeFor[Union]()) }

func (d *decoder) union(v *value, path string, u Union) {
	switch {
	case v.form == formText:
		d.word(v, path, u)
	case v.form != formMapping || len(v.entries) == 0:
		d.fail(v.at, path, "%s is %s; want %s", path, v.emptyForm(), oneOf(u))
	case len(v.entries) > 1:
		d.fail(v.entries[1].at, path, "%s has the keys %q and %q; want one of them", path, Shorten(v.entries[0].key), Shorten(v.entries[1].key))
	default:
		e := v.entries[0]
		if dst, ok := d.variant(e.at, e.key, path, u); ok {
			at := join(path, e.key)
			d.mark(at, e)
			d.decode(e.value, at, dst)
		}
	}
}

// word takes a word without values.
func (d *decoder) word(v *value, path string, u Union) {
	dst, ok := d.variant(v.at, v.text, path, u)
	if !ok {
		return
	}
	if need := needs(dst.Type()); need != "" {
		d.fail(v.at, path, "%s: %q needs a value: {%s: %s}", path, v.text, v.text, need)
	}
}

// needs is how the value of a word must be written; "" when the word alone will do.
func needs(t reflect.Type) string {
	if t.Kind() != reflect.Struct || isUnion(t) || isText(reflect.New(t).Elem()) {
		return "..."
	}
	var need []string
	sh := shapeOf(t)
	for _, f := range sh.fields {
		if f.required {
			need = append(need, f.name+": ...")
		}
	}
	switch {
	case sh.value != nil:
		return "..."
	case len(need) == 0:
		return ""
	}
	return "{" + strings.Join(need, ", ") + "}"
}

// variant chooses the word and returns what its values go into.
func (d *decoder) variant(at place, name, path string, u Union) (reflect.Value, bool) {
	known := false
	for _, w := range u.Variants() {
		known = known || w == name
	}
	if !known {
		d.fail(at, path, "unknown word %q%s%s", Shorten(name), inPath(path), suggest(name, u.Variants(), maxWords))
		return reflect.Value{}, false
	}
	dst := reflect.ValueOf(u.Variant(name)).Elem()
	d.src.chosen[path] = chosen{name: name, value: dst}
	return dst, true
}

// maxWords is up to how many words of a union a message lists.
const maxWords = 40

func oneOf(u Union) string {
	words := u.Variants()
	if len(words) > maxWords {
		return "a mapping with one key"
	}
	return "one of " + strings.Join(words, ", ")
}

// emptyForm is the form of the value, for messages.
func (v *value) emptyForm() string {
	switch {
	case v.form == formNothing || v.form == formMapping:
		return "empty"
	case v.text != "":
		return fmt.Sprintf("%q", Shorten(v.text))
	}
	return string(v.form)
}
