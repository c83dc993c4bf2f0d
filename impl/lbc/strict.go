package lbc

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strconv"
	"strings"
)

// maxDepth bounds the nesting of a body.
const maxDepth = 16

// decodeStrict decodes one JSON object into v, a pointer to a struct. A field
// that v does not have, a field given twice and anything behind the object are
// refused with a *RequestError that names the field and, where one is close, the
// name that was probably meant.
func decodeStrict(b []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	if err := checkValue(d, reflect.TypeOf(v).Elem(), "", 0); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return invalid("", "the body goes on behind its JSON object")
	}
	if err := json.Unmarshal(b, v); err != nil {
		return typeError(err)
	}
	return nil
}

// typeError puts the decoder's complaint about a value into our words.
func typeError(err error) error {
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		return invalid(wrong.Field, "want %s, got %s", typeWord(wrong.Type), wrong.Value)
	}
	return invalid("", "%v", err)
}

func typeWord(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false"
	case reflect.Slice, reflect.Array:
		return "an array"
	case reflect.Struct, reflect.Map:
		return "an object"
	case reflect.Int, reflect.Int64, reflect.Uint16, reflect.Uint32:
		return "an integer of " + strconv.Itoa(t.Bits()) + " bits"
	}
	return t.String()
}

// checkValue reads one value and checks the names in it against the type.
func checkValue(d *json.Decoder, t reflect.Type, path string, depth int) error {
	token, err := d.Token()
	if err != nil {
		return invalid(path, "not JSON: %v", jsonReason(err))
	}
	if depth > maxDepth {
		return invalid(path, "nested more than %d deep", maxDepth)
	}
	for t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch token {
	case json.Delim('{'):
		return checkObject(d, t, path, depth)
	case json.Delim('['):
		return checkArray(d, t, path, depth)
	case nil:
		return invalid(path, "null is not a value; leave the field out")
	}
	if path == "" {
		return invalid("", "want a JSON object")
	}
	// Text types (addresses) complain without saying which field it was.
	if s, ok := token.(string); ok && t != nil {
		if u, ok := reflect.New(t).Interface().(interface{ UnmarshalText([]byte) error }); ok {
			if err := u.UnmarshalText([]byte(s)); err != nil {
				return invalid(path, "%v", err)
			}
		}
	}
	return nil
}

func checkObject(d *json.Decoder, t reflect.Type, path string, depth int) error {
	known := fieldsOf(t)
	seen := make(map[string]bool)
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return invalid(path, "not JSON: %v", jsonReason(err))
		}
		name, _ := token.(string)
		at := join(path, name)
		if seen[name] {
			return invalid(at, "given twice")
		}
		seen[name] = true
		ft, ok := known[name]
		if !ok && known != nil {
			return unknownField(at, name, known)
		}
		if err := checkValue(d, ft, at, depth+1); err != nil {
			return err
		}
	}
	if _, err := d.Token(); err != nil {
		return invalid(path, "not JSON: %v", jsonReason(err))
	}
	return nil
}

func checkArray(d *json.Decoder, t reflect.Type, path string, depth int) error {
	var elem reflect.Type
	if t != nil && t.Kind() == reflect.Slice {
		elem = t.Elem()
	}
	for i := 0; d.More(); i++ {
		if err := checkValue(d, elem, path+"["+strconv.Itoa(i)+"]", depth+1); err != nil {
			return err
		}
	}
	if _, err := d.Token(); err != nil {
		return invalid(path, "not JSON: %v", jsonReason(err))
	}
	if path == "" {
		return invalid("", "want a JSON object")
	}
	return nil
}

// fieldsOf returns the JSON names of a struct; nil when t is none.
func fieldsOf(t reflect.Type) map[string]reflect.Type {
	if t == nil || t.Kind() != reflect.Struct || reflect.PointerTo(t).Implements(textUnmarshaler) {
		return nil
	}
	fields := make(map[string]reflect.Type, t.NumField())
	for f := range t.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name != "" && name != "-" {
			fields[name] = f.Type
		}
	}
	return fields
}

var textUnmarshaler = reflect.TypeFor[interface{ UnmarshalText([]byte) error }]()

func unknownField(at, name string, known map[string]reflect.Type) error {
	if close := closest(name, known); close != "" {
		return invalid(at, "unknown field; did you mean %q?", close)
	}
	return invalid(at, "unknown field")
}

// closest returns the known name nearest to name, if one is near enough to be
// what was meant: at most one edit for each three letters, and one for short
// names. Of equally near ones it is the first in the order of names.
func closest[T any](name string, known map[string]T) string {
	best, distance := "", 1+max(1, len(name)/3)
	for k := range known {
		n := edits(strings.ToLower(name), k)
		if n < distance || n == distance && best != "" && k < best {
			best, distance = k, n
		}
	}
	return best
}

// edits is the number of insertions, deletions, replacements and swaps of
// neighbours between a and b.
func edits(a, b string) int {
	before, last := []int(nil), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := range len(a) {
		row := make([]int, len(b)+1)
		row[0] = i + 1
		for j := range len(b) {
			cost := last[j]
			if a[i] != b[j] {
				cost++
			}
			row[j+1] = min(cost, last[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}

func join(path, name string) string {
	if len(name) > 64 {
		name = name[:64]
	}
	if path == "" {
		return name
	}
	return path + "." + name
}

func jsonReason(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("the body ends early")
	}
	return err
}
