package strict

import (
	"reflect"
	"strconv"
	"time"
)

// walk calls visit for every field of the struct at v, and of what lies in it,
// outer ones first. What a union chose is known to the Source only.
func (s *Source) walk(v reflect.Value, path string, visit func(f field, v reflect.Value, path string)) {
	switch {
	case isUnion(v.Type()):
		if s != nil && s.chosen[path].name != "" {
			c := s.chosen[path]
			s.walk(c.value, join(path, c.name), visit)
		}
	case v.Kind() == reflect.Pointer:
		if !v.IsNil() {
			s.walk(v.Elem(), path, visit)
		}
	case v.Kind() == reflect.Slice:
		for i := range v.Len() {
			s.walk(v.Index(i), itemPath(v, i, path), visit)
		}
	case v.Kind() == reflect.Struct && !isText(v):
		sh := shapeOf(v.Type())
		for _, f := range sh.fields {
			at, fv := path, v.FieldByIndex(f.index)
			if sh.value == nil {
				at = join(path, f.name)
			}
			visit(f, fv, at)
			s.walk(fv, at, visit)
		}
	}
}

// itemPath is the path of an entry: by its name where the file has names.
func itemPath(list reflect.Value, i int, path string) string {
	if keyed(list.Type()) {
		return join(path, list.Index(i).FieldByIndex(shapeOf(list.Type().Elem()).key).String())
	}
	return join(path, "["+strconv.Itoa(i)+"]")
}

// Fill sets what was left out of the struct to its default. What the file gives
// stays, also a zero: "count: 0" is a problem, no count is one.
func Fill(into any, s *Source) {
	s.walk(reflect.ValueOf(into).Elem(), "", func(f field, v reflect.Value, path string) {
		if f.standard != "" && v.IsZero() && !s.Has(path) {
			setDefault(v, f.standard)
		}
	})
}

// Inherit sets every field of the struct that stands at the path, and that neither
// is set nor was given in the file, to what outer has, a struct of the same type.
func (s *Source) Inherit(into any, path string, outer any) {
	dst, src := reflect.ValueOf(into).Elem(), reflect.ValueOf(outer).Elem()
	for _, f := range shapeOf(dst.Type()).fields {
		if v := dst.FieldByIndex(f.index); v.IsZero() && !s.Has(join(path, f.name)) {
			v.Set(src.FieldByIndex(f.index))
		}
	}
}

// setDefault reads what a tag says.
func setDefault(v reflect.Value, text string) {
	switch {
	case v.Kind() == reflect.String:
		v.SetString(text)
	case v.Type() == durationType:
		if d, err := time.ParseDuration(text); err == nil {
			v.SetInt(int64(d))
		}
	case v.Kind() == reflect.Bool:
		v.SetBool(text == "true")
	case v.CanInt():
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			v.SetInt(n)
		}
	case v.CanUint():
		if n, err := strconv.ParseUint(text, 10, 64); err == nil {
			v.SetUint(n)
		}
	case v.CanFloat():
		if n, err := strconv.ParseFloat(text, 64); err == nil {
			v.SetFloat(n)
		}
	}
}
