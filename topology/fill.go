package topology

import (
	"reflect"
	"strconv"
)

// clone is a deep copy: Validate and Plan fill in defaults and must not change
// the caller's Spec.
func (s *Spec) clone() *Spec {
	c := &Spec{src: s.src}
	copyStruct(reflect.ValueOf(c).Elem(), reflect.ValueOf(s).Elem())
	return c
}

func copyStruct(dst, src reflect.Value) {
	for i := range src.NumField() {
		if !src.Type().Field(i).IsExported() {
			continue
		}
		d, s := dst.Field(i), src.Field(i)
		switch {
		case s.Kind() == reflect.Struct && !isText(d):
			copyStruct(d, s)
		case s.Kind() == reflect.Slice && s.Type().Elem().Kind() == reflect.Struct && !s.IsNil():
			d.Set(reflect.MakeSlice(s.Type(), s.Len(), s.Len()))
			for j := range s.Len() {
				copyStruct(d.Index(j), s.Index(j))
			}
		case s.Kind() == reflect.Slice:
			d.Set(reflect.AppendSlice(reflect.Zero(s.Type()), s))
		default:
			d.Set(s)
		}
	}
}

// fill sets what was left out to its default. What the file gives stays, also
// a zero: "count: 0" is a problem, no count is one.
func (s *Spec) fill() { s.fillStruct(reflect.ValueOf(s).Elem(), "") }

func (s *Spec) fillStruct(v reflect.Value, path string) {
	sh := shapeOf(v.Type())
	for _, f := range sh.fields {
		at := path
		if f.index != sh.value {
			at = join(path, f.name)
		}
		fv := v.Field(f.index)
		switch {
		case f.standard != "" && fv.IsZero() && !s.src.has(at):
			if fv.Kind() == reflect.String {
				fv.SetString(f.standard)
			} else if n, err := strconv.ParseInt(f.standard, 10, 64); err == nil {
				fv.SetInt(n)
			}
		case fv.Kind() == reflect.Struct && !isText(fv):
			s.fillStruct(fv, at)
		case fv.Kind() == reflect.Slice && fv.Type().Elem().Kind() == reflect.Struct:
			for i := range fv.Len() {
				s.fillStruct(fv.Index(i), itemPath(fv, i, at))
			}
		}
	}
}
