package check

import "reflect"

// During returns the names of spans and faults that a spec refers to, for who
// wants to know before there is a history.
func During(s Spec) []string {
	var out []string
	visit(reflect.ValueOf(s), "During", func(v reflect.Value) {
		if v.Kind() == reflect.String && v.String() != "" {
			out = append(out, v.String())
		}
	})
	return out
}

// StreamsOf returns the streams that a spec is about; none means all.
func StreamsOf(s Spec) []string {
	var out []string
	visit(reflect.ValueOf(s), "Streams", func(v reflect.Value) {
		for i := range v.Len() {
			out = append(out, v.Index(i).String())
		}
	})
	return out
}

// visit calls f for every field of that name, wherever it is.
func visit(v reflect.Value, name string, f func(reflect.Value)) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			visit(v.Elem(), name, f)
		}
	case reflect.Slice:
		for i := range v.Len() {
			visit(v.Index(i), name, f)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).Name == name {
				f(v.Field(i))
			} else {
				visit(v.Field(i), name, f)
			}
		}
	}
}
