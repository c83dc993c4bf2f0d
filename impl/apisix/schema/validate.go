package schema

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
)

// Validate reports the first rule that v breaks, in APISIX's words. A value is
// what encoding/json decodes with UseNumber: map[string]any, []any, string,
// json.Number, bool or nil.
func (s *Schema) Validate(v any) error {
	if err := s.checkType(v); err != nil {
		return err
	}
	switch t := v.(type) {
	case map[string]any:
		if err := s.checkObject(t); err != nil {
			return err
		}
		if len(t) == 0 {
			if err := s.checkArray(nil); err != nil {
				return err
			}
		}
	case []any:
		if len(t) == 0 {
			if err := s.checkObject(nil); err != nil {
				return err
			}
		}
		if err := s.checkArray(t); err != nil {
			return err
		}
	case string:
		if err := s.checkString(t); err != nil {
			return err
		}
	case json.Number:
		if err := s.checkNumber(t); err != nil {
			return err
		}
	}
	if s.enum != nil && !slices.ContainsFunc(s.enum, func(e any) bool { return equal(e, v) }) {
		return errors.New("matches none of the enum values")
	}
	return s.checkCombined(v)
}

func (s *Schema) checkType(v any) error {
	if len(s.types) == 0 || slices.ContainsFunc(s.types, func(t string) bool { return isType(t, v) }) {
		return nil
	}
	if len(s.types) == 1 {
		return fmt.Errorf("wrong type: expected %s, got %s", s.types[0], TypeName(v))
	}
	return fmt.Errorf("wrong type: expected one of %s, got %s", strings.Join(s.types, ", "), TypeName(v))
}

func isType(name string, v any) bool {
	switch t := v.(type) {
	case nil:
		return name == "null"
	case bool:
		return name == "boolean"
	case string:
		return name == "string"
	case json.Number:
		if name == "integer" {
			f, err := t.Float64()
			return err == nil && f == math.Trunc(f)
		}
		return name == "number"
	case map[string]any:
		return name == "object" || name == "array" && len(t) == 0
	case []any:
		return name == "array" || name == "object" && len(t) == 0
	}
	return false
}

// TypeName is the name of a value's type as messages have it: that of Lua, which
// knows one type for objects and arrays, and of which null is userdata.
func TypeName(v any) string {
	switch v.(type) {
	case nil:
		return "userdata"
	case bool:
		return "boolean"
	case string:
		return "string"
	case json.Number:
		return "number"
	}
	return "table"
}

func (s *Schema) checkObject(m map[string]any) error {
	for _, name := range s.names {
		v, ok := m[name]
		if !ok {
			continue
		}
		if err := s.properties[name].Validate(v); err != nil {
			return fmt.Errorf("property %q validation failed: %w", name, err)
		}
	}
	for _, name := range s.required {
		if _, ok := m[name]; !ok {
			return fmt.Errorf("property %q is required", name)
		}
	}
	if err := s.checkDependencies(m); err != nil {
		return err
	}
	if err := s.checkOther(m); err != nil {
		return err
	}
	if s.minProps != nil && len(m) < *s.minProps {
		return fmt.Errorf("expect object to have at least %d properties", *s.minProps)
	}
	if s.maxProps != nil && len(m) > *s.maxProps {
		return fmt.Errorf("expect object to have at most %d properties", *s.maxProps)
	}
	return nil
}

func (s *Schema) checkDependencies(m map[string]any) error {
	for _, name := range s.depNames {
		if _, ok := m[name]; !ok {
			continue
		}
		for _, other := range s.depRequire[name] {
			if _, ok := m[other]; !ok {
				return fmt.Errorf("property %q is required when %q is set", other, name)
			}
		}
		if dep := s.depSchema[name]; dep != nil {
			if err := dep.Validate(m); err != nil {
				return fmt.Errorf("failed to validate dependent schema for %q: %w", name, err)
			}
		}
	}
	return nil
}

// checkOther checks the members that no property names.
func (s *Schema) checkOther(m map[string]any) error {
	if len(s.patterns) == 0 && !s.closed && s.additional == nil {
		return nil
	}
	for _, key := range sortedKeys(m) {
		_, known := s.properties[key]
		for _, p := range s.patterns {
			if !p.re.MatchString(key) {
				continue
			}
			known = true
			if err := p.of.Validate(m[key]); err != nil {
				return fmt.Errorf("failed to validate %s (matching %s): %w", key, quote(p.text), err)
			}
		}
		if known {
			continue
		}
		if s.closed {
			return fmt.Errorf("additional properties forbidden, found %s", key)
		}
		if s.additional != nil {
			if err := s.additional.Validate(m[key]); err != nil {
				return fmt.Errorf("failed to validate additional property %s: %w", key, err)
			}
		}
	}
	return nil
}

func (s *Schema) checkArray(items []any) error {
	if s.minItems != nil && len(items) < *s.minItems {
		return fmt.Errorf("expect array to have at least %d items", *s.minItems)
	}
	if s.maxItems != nil && len(items) > *s.maxItems {
		return fmt.Errorf("expect array to have at most %d items", *s.maxItems)
	}
	if s.items != nil {
		for i, v := range items {
			if err := s.items.Validate(v); err != nil {
				return fmt.Errorf("failed to validate item %d: %w", i+1, err)
			}
		}
	}
	if s.unique {
		if i, j, ok := twins(items); ok {
			return fmt.Errorf("expected unique items but items %d and %d are equal", i+1, j+1)
		}
	}
	return nil
}
