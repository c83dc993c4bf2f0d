package schema

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// A Schema is one compiled JSON Schema.
type Schema struct {
	types []string
	kinds kind // of types; 0: any

	properties map[string]*Schema
	names      []string // of properties, sorted: the order of checks is stable
	required   []string
	patterns   []patternProperty
	closed     bool    // additionalProperties: false
	additional *Schema // additionalProperties: {...}
	minProps   *int
	maxProps   *int
	depRequire map[string][]string
	depSchema  map[string]*Schema
	depNames   []string // of both, sorted

	items    *Schema
	minItems *int
	maxItems *int
	unique   bool

	minLength, maxLength *int
	format               string
	pattern              *pattern
	patternText          string

	min, max, above, below *float64

	enum []any

	allOf, anyOf, oneOf        []*Schema
	not, cond, then, otherwise *Schema
}

type patternProperty struct {
	re   *pattern
	text string
	of   *Schema
}

// Compile reads a schema document. An object {"$ref": "name"} stands for the
// document of that name in defs.
func Compile(doc []byte, defs map[string]json.RawMessage) (*Schema, error) {
	tree, err := expandDoc(doc, defs)
	if err != nil {
		return nil, fmt.Errorf("compile schema: %w", err)
	}
	s, err := compile(tree)
	if err != nil {
		return nil, fmt.Errorf("compile schema: %w", err)
	}
	return s, nil
}

// Expand returns a document in which every {"$ref": "name"} is replaced by what it
// stands for, as Compile reads it.
func Expand(doc []byte, defs map[string]json.RawMessage) (json.RawMessage, error) {
	tree, err := expandDoc(doc, defs)
	if err != nil {
		return nil, fmt.Errorf("expand schema: %w", err)
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(tree); err != nil {
		return nil, fmt.Errorf("expand schema: %w", err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// maxRefs bounds how deep definitions may use each other; deeper is a circle.
const maxRefs = 16

func expandDoc(doc []byte, defs map[string]json.RawMessage) (any, error) {
	return expand(doc, defs, 0)
}

func expand(doc []byte, defs map[string]json.RawMessage, depth int) (any, error) {
	if depth > maxRefs {
		return nil, fmt.Errorf("$ref goes in a circle")
	}
	d := json.NewDecoder(bytes.NewReader(doc))
	d.UseNumber()
	var tree any
	if err := d.Decode(&tree); err != nil {
		return nil, err
	}
	return resolve(tree, defs, depth)
}

func resolve(tree any, defs map[string]json.RawMessage, depth int) (any, error) {
	var err error
	switch t := tree.(type) {
	case map[string]any:
		if name, ok := t["$ref"].(string); ok {
			def, known := defs[name]
			if !known || len(t) != 1 {
				return nil, fmt.Errorf("$ref %q: unknown, or not alone", name)
			}
			return expand(def, defs, depth+1)
		}
		for k, v := range t {
			if t[k], err = resolve(v, defs, depth); err != nil {
				return nil, err
			}
		}
	case []any:
		for i, v := range t {
			if t[i], err = resolve(v, defs, depth); err != nil {
				return nil, err
			}
		}
	}
	return tree, nil
}
