package strict

import (
	"cmp"
	"reflect"
	"strings"
)

// A field is one key of a mapping of the file, read from the tags of a struct.
type field struct {
	index    []int // within the struct; more than one where structs are embedded
	name     string
	required bool
	min, max string // as written in the tag; empty when there is none
	enum     []string
	standard string // tag "default"
	doc      string
}

// A shape is what the tags of one struct say.
type shape struct {
	fields []field
	key    []int // field that holds the key under which the struct stands; nil when it stands in a list
	value  []int // field that holds the plain value; nil when the struct is a mapping
}

func shapeOf(t reflect.Type) shape {
	var s shape
	s.add(t, nil)
	return s
}

// add adds the fields of a struct that stands at index.
func (s *shape) add(t reflect.Type, index []int) {
	for i := range t.NumField() {
		f := t.Field(i)
		at := append(append([]int(nil), index...), i)
		name := keyOf(f)
		switch {
		case f.Anonymous && name == "" && f.Type.Kind() == reflect.Struct:
			s.add(f.Type, at)
		case !f.IsExported() || name == "" || name == "-":
		case name == ",key":
			s.key = at
		default:
			if name == ",value" {
				s.value = at
			}
			s.fields = append(s.fields, fieldOf(f, name, at))
		}
	}
}

// keyOf is the key of a field: of its tag yaml, else the name in its tag json.
func keyOf(f reflect.StructField) string {
	if name, ok := f.Tag.Lookup("yaml"); ok {
		return strings.TrimSuffix(name, ",omitempty") // a matter of writing
	}
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	return name
}

func fieldOf(f reflect.StructField, name string, at []int) field {
	tag := f.Tag.Get
	fd := field{index: at, name: name, required: cmp.Or(tag("required"), tag("need")) == "true",
		min: tag("min"), max: tag("max"), standard: tag("default"), doc: tag("doc")}
	if e := tag("enum"); e != "" {
		fd.enum = strings.Split(e, ",")
	}
	return fd
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
	return t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Struct && shapeOf(t.Elem()).key != nil
}

// join appends a key to a path.
func join(path, key string) string {
	if path == "" || strings.HasPrefix(key, "[") {
		return path + key
	}
	return path + "." + key
}
