package topology

import "reflect"

// clone is a deep copy: Validate and Plan fill in defaults and must not change
// the caller's Spec.
func (s *Spec) clone() *Spec {
	c := *s
	own(reflect.ValueOf(&c).Elem())
	return &c
}

// own replaces every slice and pointer within v by a copy of its own.
func own(v reflect.Value) {
	switch {
	case v.Kind() == reflect.Pointer && !v.IsNil():
		p := reflect.New(v.Type().Elem())
		p.Elem().Set(v.Elem())
		own(p.Elem())
		v.Set(p)
	case v.Kind() == reflect.Slice && !v.IsNil():
		list := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		reflect.Copy(list, v)
		for i := range list.Len() {
			own(list.Index(i))
		}
		v.Set(list)
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				own(v.Field(i))
			}
		}
	}
}
