package topology

import (
	"reflect"
	"strings"
)

// A field is one key of a mapping of the file, read from the tags of the Spec.
type field struct {
	index    int
	name     string
	required bool
	min, max string // as written in the tag; empty when there is none
	enum     []string
	standard string // tag "default"
}

// A shape is what the tags of one struct of the Spec say.
type shape struct {
	fields []field
	key    int // field that holds the key under which the struct stands; -1 when it stands in a list
	value  int // field that holds the plain value; -1 when the struct is a mapping
}

func shapeOf(t reflect.Type) shape {
	s := shape{key: -1, value: -1}
	for i := range t.NumField() {
		f := t.Field(i)
		if !f.IsExported() {
			continue
		}
		fd := field{index: i, name: f.Tag.Get("yaml"), required: f.Tag.Get("required") == "true",
			min: f.Tag.Get("min"), max: f.Tag.Get("max"), standard: f.Tag.Get("default")}
		if e := f.Tag.Get("enum"); e != "" {
			fd.enum = strings.Split(e, ",")
		}
		switch fd.name {
		case ",key":
			s.key = i
		case ",value":
			s.value = i
			s.fields = append(s.fields, fd)
		default:
			s.fields = append(s.fields, fd)
		}
	}
	return s
}

func (s shape) field(name string) (field, bool) {
	for _, f := range s.fields {
		if f.name == name {
			return f, true
		}
	}
	return field{}, false
}

func (s shape) names() []string {
	names := make([]string, 0, len(s.fields))
	for _, f := range s.fields {
		names = append(names, f.name)
	}
	return names
}

// keyed says whether the file writes a slice type as a mapping from names.
func keyed(t reflect.Type) bool {
	return t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Struct && shapeOf(t.Elem()).key >= 0
}

// join appends a key to a path.
func join(path, key string) string {
	if path == "" || strings.HasPrefix(key, "[") {
		return path + key
	}
	return path + "." + key
}
