package strict

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// Comments tells what the source says about a type, or about one of its fields.
type Comments func(t reflect.Type, field string) string

// Schema is the JSON schema (draft 2020-12) of files that Decode reads into a
// value of the type, for editors. It follows from the same tags; the tag doc of a
// field, or else its comment, becomes the description. A file that the schema
// refuses is refused by Decode; Decode, and whoever checks what it read, refuse
// more. The same type and comments give the same bytes.
func Schema(of reflect.Type, title string, comments Comments) ([]byte, error) {
	g := &schemaGen{comments: comments, defs: map[string]*schema{}, types: map[string]reflect.Type{}}
	root := *g.schemaOf(of)
	root.Draft, root.Title, root.Defs = "https://json-schema.org/draft/2020-12/schema", title, g.defs
	b, err := json.MarshalIndent(root, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("schema of %s: %w", of, err)
	}
	return append(b, '\n'), g.err
}

// A schema is the part of the language that we speak.
type schema struct {
	Draft       string             `json:"$schema,omitempty"`
	Title       string             `json:"title,omitempty"`
	Description string             `json:"description,omitempty"`
	Ref         string             `json:"$ref,omitempty"`
	Type        string             `json:"type,omitempty"`
	Enum        []string           `json:"enum,omitempty"`
	Pattern     string             `json:"pattern,omitempty"`
	Default     json.RawMessage    `json:"default,omitempty"`
	Minimum     json.Number        `json:"minimum,omitempty"`
	Maximum     json.Number        `json:"maximum,omitempty"`
	MinLength   int                `json:"minLength,omitempty"`
	Items       *schema            `json:"items,omitempty"`
	MinItems    int                `json:"minItems,omitempty"`
	MaxItems    int                `json:"maxItems,omitempty"`
	Properties  map[string]*schema `json:"properties,omitempty"`
	Required    []string           `json:"required,omitempty"`
	Additional  any                `json:"additionalProperties,omitempty"` // false or *schema
	MinProps    int                `json:"minProperties,omitempty"`
	MaxProps    int                `json:"maxProperties,omitempty"`
	OneOf       []*schema          `json:"oneOf,omitempty"`
	Defs        map[string]*schema `json:"$defs,omitempty"`
}

type schemaGen struct {
	comments Comments
	defs     map[string]*schema      // of structs and unions, by their Go name
	types    map[string]reflect.Type // whose they are
	err      error
}

// Patterns of texts. Times are as time.ParseDuration takes them.
const (
	durationPattern = `^([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+$`
	addrPattern     = `^[0-9]+(\.[0-9]+){3}$`
	prefixPattern   = `^[0-9]+(\.[0-9]+){3}/[0-9]+$`
)

func (g *schemaGen) schemaOf(t reflect.Type) *schema {
	switch {
	case t.Kind() == reflect.Pointer:
		return g.schemaOf(t.Elem())
	case isUnion(t):
		return g.define(t, g.union)
	case t == durationType:
		return &schema{Type: "string", Pattern: durationPattern}
	case t == reflect.TypeFor[netip.Addr]():
		return &schema{Type: "string", Pattern: addrPattern}
	case t == reflect.TypeFor[netip.Prefix]():
		return &schema{Type: "string", Pattern: prefixPattern}
	case isText(reflect.New(t).Elem()):
		return &schema{Type: "string"}
	case keyed(t):
		return &schema{Type: "object", Additional: g.schemaOf(t.Elem())}
	}
	switch t.Kind() {
	case reflect.Struct:
		if sh := shapeOf(t); sh.value != nil {
			f, _ := sh.field(",value")
			return g.limited(f, t)
		}
		return g.define(t, g.mapping)
	case reflect.Slice:
		return &schema{Type: "array", Items: g.schemaOf(t.Elem())}
	case reflect.Map:
		return &schema{Type: "object", Additional: g.schemaOf(t.Elem())}
	case reflect.Interface:
		return &schema{}
	case reflect.String:
		return &schema{Type: "string"}
	case reflect.Bool:
		return &schema{Type: "boolean"}
	case reflect.Float32, reflect.Float64:
		return &schema{Type: "number"}
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return &schema{Type: "integer", Minimum: "0"}
	default:
		return &schema{Type: "integer"}
	}
}

// define makes the schema of a named type once, so that types may hold themselves.
func (g *schemaGen) define(t reflect.Type, schemaOf func(reflect.Type) *schema) *schema {
	name := strings.TrimPrefix(t.String(), "*")
	if t.Name() == "" {
		return schemaOf(t)
	}
	if other, taken := g.types[name]; taken && other != t {
		g.err = fmt.Errorf("schema: two types are called %s", name)
	}
	if g.types[name] == nil {
		g.types[name] = t
		g.defs[name] = schemaOf(t)
	}
	return &schema{Ref: "#/$defs/" + name}
}

func (g *schemaGen) mapping(t reflect.Type) *schema {
	s := &schema{Type: "object", Additional: false, Properties: map[string]*schema{}, Description: g.comments(t, "")}
	for _, f := range shapeOf(t).fields {
		s.Properties[f.name] = g.limited(f, t)
		if f.required {
			s.Required = append(s.Required, f.name)
		}
	}
	return s
}

// union is a word alone where it needs no values, or a mapping with one key.
func (g *schemaGen) union(t reflect.Type) *schema {
	words := &schema{Type: "string"}
	deeds := &schema{Type: "object", Additional: false, Properties: map[string]*schema{}, MinProps: 1, MaxProps: 1}
	u := reflect.New(t).Interface().(Union)
	for _, w := range u.Variants() {
		vt := reflect.TypeOf(u.Variant(w)).Elem()
		deeds.Properties[w] = g.schemaOf(vt)
		if needs(vt) == "" {
			words.Enum = append(words.Enum, w)
		}
	}
	slices.Sort(words.Enum)
	s := &schema{Description: g.comments(t, ""), OneOf: []*schema{deeds}}
	if len(words.Enum) > 0 {
		s.OneOf = append(s.OneOf, words)
	}
	return s
}

// limited is the schema of a field of the struct, with what its tags say.
func (g *schemaGen) limited(f field, in reflect.Type) *schema {
	sf := in.FieldByIndex(f.index)
	s := g.schemaOf(sf.Type)
	if s.Description = f.doc; f.doc == "" {
		owner := in
		for _, i := range f.index[:len(f.index)-1] {
			owner = owner.Field(i).Type
		}
		s.Description = g.comments(owner, sf.Name)
	}
	most, _ := strconv.Atoi(f.max) // 0: no limit
	switch {
	case sf.Type == durationType:
		if f.min != "" || f.max != "" {
			s.Description = strings.TrimSpace(fmt.Sprintf("%s (%s to %s)", s.Description, f.min, f.max))
		}
	case s.Type == "array":
		s.MaxItems, s.MinItems = most, btoi(f.required)
	case s.Type == "object":
		s.MaxProps, s.MinProps = most, btoi(f.required)
	case s.Type == "integer" || s.Type == "number":
		if f.min != "" {
			s.Minimum = json.Number(f.min)
		}
		s.Maximum = json.Number(f.max)
	case s.Type == "string":
		s.Enum = f.enum
		s.MinLength = btoi(f.required && s.Pattern == "" && len(f.enum) == 0)
	}
	s.Default = standard(f, s)
	return s
}

// standard is the default of a field as JSON has it.
func standard(f field, s *schema) json.RawMessage {
	switch {
	case f.standard == "":
		return nil
	case s.Type == "string":
		return json.RawMessage(strconv.Quote(f.standard))
	}
	return json.RawMessage(f.standard)
}
