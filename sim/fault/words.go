package fault

import (
	"cmp"
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// A Field is one property of a fault.
type Field struct {
	Name string // as in key=value and in scenario files
	Arg  int    // place on the command line, from 1; 0: only as key=value
	Doc  string
	Need bool // it has no default

	index []int
	typ   reflect.Type
}

// Type is what the field holds, for those who propose values.
func (f Field) Type() reflect.Type { return f.typ }

// fieldsOf reads the fields of a fault from their tags: yaml, or else json, names them, arg
// gives the place among the words of a command line, doc says what they are and
// need that they cannot be left out. Embedded structs count as their fields. What
// has no doc is not given by anybody: Resolve fills it in.
func fieldsOf(t reflect.Type) []Field {
	var out []Field
	for _, sf := range reflect.VisibleFields(t) {
		name, _, _ := strings.Cut(cmp.Or(sf.Tag.Get("yaml"), sf.Tag.Get("json")), ",")
		if sf.Anonymous || !sf.IsExported() || name == "" || name == "-" || sf.Tag.Get("doc") == "" {
			continue
		}
		arg, _ := strconv.Atoi(sf.Tag.Get("arg")) // no tag: no place
		out = append(out, Field{Name: name, Arg: arg, Doc: sf.Tag.Get("doc"), Need: sf.Tag.Get("need") == "true", index: sf.Index, typ: sf.Type})
	}
	return out
}

// Parse reads a fault as a command line has it: its kind, then values in their
// places or as key=value. Durations are written "5ms", lists and structures as
// JSON. Errors say what the kind takes.
func Parse(kind string, words ...string) (Fault, error) {
	k, err := KindOf(kind)
	if err != nil {
		return nil, err
	}
	p := k.New()
	seen := map[string]bool{}
	place := 0
	for _, w := range words {
		f, text, err := k.field(w, &place)
		if err != nil {
			return nil, err
		}
		if seen[f.Name] {
			return nil, fmt.Errorf("%s: %s is given twice", kind, f.Name)
		}
		seen[f.Name] = true
		if err := set(reflect.ValueOf(p).Elem().FieldByIndex(f.index), text); err != nil {
			return nil, fmt.Errorf("%s: %s: %w", kind, f.Name, err)
		}
	}
	for _, f := range k.Fields {
		if f.Need && !seen[f.Name] {
			return nil, fmt.Errorf("%s: %s is missing; usage: %s", kind, f.Name, k.Usage())
		}
	}
	f := Of(p)
	if s, ok := f.(Spelled); ok {
		if err := s.Spelling(); err != nil {
			return nil, fmt.Errorf("%s: %w", kind, err)
		}
	}
	return f, nil
}

// Spelled is a fault that can say, without a lab, that it is not well formed.
type Spelled interface{ Spelling() error }

// field finds which field a word is for. A word with "=" names it, another takes
// the next place.
func (k Kind) field(word string, place *int) (Field, string, error) {
	if name, text, ok := strings.Cut(word, "="); ok {
		for _, f := range k.Fields {
			if f.Name == name {
				return f, text, nil
			}
		}
		return Field{}, "", fmt.Errorf("%s has no %q; usage: %s", k.Name, name, k.Usage())
	}
	*place++
	for _, f := range k.Fields {
		if f.Arg == *place {
			return f, word, nil
		}
	}
	return Field{}, "", fmt.Errorf("%s: one word too many: %q; usage: %s", k.Name, word, k.Usage())
}

// Usage is the form of the command line.
func (k Kind) Usage() string {
	parts := []string{k.Name}
	for place := 1; ; place++ {
		found := false
		for _, f := range k.Fields {
			if f.Arg == place {
				found = true
				if name := strings.ToUpper(f.Name); f.Need {
					parts = append(parts, name)
				} else {
					parts = append(parts, "["+name+"]")
				}
			}
		}
		if !found {
			break
		}
	}
	for _, f := range k.Fields {
		switch {
		case f.Arg != 0:
		case f.Need:
			parts = append(parts, f.Name+"=")
		default:
			parts = append(parts, "["+f.Name+"=]")
		}
	}
	return strings.Join(parts, " ")
}

// set reads one value.
func set(v reflect.Value, text string) error {
	var err error
	switch {
	case v.Type() == reflect.TypeFor[time.Duration]():
		var d time.Duration
		d, err = time.ParseDuration(text)
		v.SetInt(int64(d))
	case v.Kind() == reflect.String:
		v.SetString(text)
	default: // numbers, booleans, lists and structures as JSON has them
		err = strict([]byte(text), v.Addr().Interface())
	}
	if err != nil {
		return fmt.Errorf("cannot read %q: %w", text, unwrapped(err))
	}
	return nil
}

// unwrapped takes what a person has no use for off the errors of encoding/json.
func unwrapped(err error) error {
	if e, ok := err.(*json.UnmarshalTypeError); ok { //nolint:errorlint // nothing wraps it here
		return fmt.Errorf("want %s", e.Type)
	}
	return err
}
