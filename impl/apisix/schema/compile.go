package schema

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// annotations are keywords that say nothing about validity.
var annotations = map[string]bool{
	"$comment": true, "$schema": true, "default": true, "description": true, "encrypt_fields": true, "examples": true, "title": true,
}

func compile(tree any) (*Schema, error) {
	doc, ok := tree.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("want an object, got %v", tree)
	}
	c := compiler{s: &Schema{}}
	for _, key := range slices.Sorted(maps.Keys(doc)) {
		if annotations[key] {
			continue
		}
		c.keyword(key, doc[key])
		if c.err != nil {
			return nil, fmt.Errorf("%s: %w", key, c.err)
		}
	}
	s := c.s
	s.names = slices.Sorted(maps.Keys(s.properties))
	s.depNames = slices.Sorted(maps.Keys(s.depRequire))
	s.depNames = append(s.depNames, slices.Sorted(maps.Keys(s.depSchema))...)
	return s, nil
}

// compiler turns the keywords of one schema object into fields; the first error
// sticks.
type compiler struct {
	s   *Schema
	err error
}

func (c *compiler) keyword(key string, v any) {
	s := c.s
	switch key {
	case "type":
		if name, ok := v.(string); ok {
			s.types = []string{name}
		} else {
			s.types = c.strings(v)
		}
		for _, t := range s.types {
			if kinds[t] == 0 {
				c.err = fmt.Errorf("unknown type %q", t)
			}
			s.kinds |= kinds[t]
		}
	case "properties":
		s.properties = c.schemas(v)
	case "required":
		s.required = c.strings(v)
	case "patternProperties":
		of := c.schemas(v)
		for _, text := range slices.Sorted(maps.Keys(of)) {
			s.patterns = append(s.patterns, patternProperty{c.regexp(text), text, of[text]})
		}
	case "additionalProperties":
		if b, ok := v.(bool); ok {
			s.closed = !b
		} else {
			s.additional = c.schema(v)
		}
	case "dependencies":
		c.dependencies(v)
	case "minProperties":
		s.minProps = c.int(v)
	case "maxProperties":
		s.maxProps = c.int(v)
	case "items":
		s.items = c.schema(v)
	case "minItems":
		s.minItems = c.int(v)
	case "maxItems":
		s.maxItems = c.int(v)
	case "uniqueItems":
		s.unique, _ = v.(bool)
	default:
		c.scalar(key, v)
	}
}

func (c *compiler) scalar(key string, v any) {
	s := c.s
	switch key {
	case "minLength":
		s.minLength = c.int(v)
	case "maxLength":
		s.maxLength = c.int(v)
	case "pattern":
		s.patternText, _ = v.(string)
		s.pattern = c.regexp(s.patternText)
	case "format":
		s.format, _ = v.(string)
		if s.format != "ipv4" && s.format != "ipv6" {
			c.err = fmt.Errorf("format %q is not supported", s.format)
		}
	case "minimum":
		s.min = c.float(v)
	case "maximum":
		s.max = c.float(v)
	case "exclusiveMinimum":
		s.above = c.float(v)
	case "exclusiveMaximum":
		s.below = c.float(v)
	case "enum":
		s.enum, _ = v.([]any)
		if len(s.enum) == 0 {
			c.err = fmt.Errorf("want a list")
		}
	default:
		c.combined(key, v)
	}
}

func (c *compiler) combined(key string, v any) {
	s := c.s
	switch key {
	case "allOf":
		s.allOf = c.list(v)
	case "anyOf":
		s.anyOf = c.list(v)
	case "oneOf":
		s.oneOf = c.list(v)
	case "not":
		s.not = c.schema(v)
	case "if":
		s.cond = c.schema(v)
	case "then":
		s.then = c.schema(v)
	case "else":
		s.otherwise = c.schema(v)
	default:
		c.err = fmt.Errorf("keyword is not supported")
	}
}

func (c *compiler) dependencies(v any) {
	deps, _ := v.(map[string]any)
	c.s.depRequire, c.s.depSchema = map[string][]string{}, map[string]*Schema{}
	for name, d := range deps {
		if _, ok := d.([]any); ok {
			c.s.depRequire[name] = c.strings(d)
		} else {
			c.s.depSchema[name] = c.schema(d)
		}
	}
}

func (c *compiler) schema(v any) *Schema {
	s, err := compile(v)
	if err != nil && c.err == nil {
		c.err = err
	}
	return s
}

func (c *compiler) schemas(v any) map[string]*Schema {
	m, ok := v.(map[string]any)
	if !ok {
		c.err = fmt.Errorf("want an object")
	}
	out := make(map[string]*Schema, len(m))
	for name, doc := range m {
		s, err := compile(doc)
		if err != nil && c.err == nil {
			c.err = fmt.Errorf("%s: %w", name, err)
		}
		out[name] = s
	}
	return out
}

func (c *compiler) list(v any) []*Schema {
	items, ok := v.([]any)
	if !ok || len(items) == 0 {
		c.err = fmt.Errorf("want a list of schemas")
	}
	out := make([]*Schema, len(items))
	for i, doc := range items {
		out[i] = c.schema(doc)
	}
	return out
}

func (c *compiler) strings(v any) []string {
	items, ok := v.([]any)
	if !ok {
		c.err = fmt.Errorf("want a list of strings")
	}
	out := make([]string, 0, len(items))
	for _, item := range items {
		s, ok := item.(string)
		if !ok {
			c.err = fmt.Errorf("want a list of strings")
		}
		out = append(out, s)
	}
	return out
}

func (c *compiler) int(v any) *int {
	f := c.float(v)
	if f == nil {
		return nil
	}
	i := int(*f)
	return &i
}

func (c *compiler) float(v any) *float64 {
	n, ok := v.(json.Number)
	f, err := n.Float64()
	if !ok || err != nil {
		c.err = fmt.Errorf("want a number")
		return nil
	}
	return &f
}

func (c *compiler) regexp(text string) *pattern {
	re, err := compilePattern(text)
	if err != nil && c.err == nil {
		c.err = err
	}
	return re
}
