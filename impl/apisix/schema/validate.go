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
//
// Nearly every value breaks none. So it looks first without words and without order,
// which takes no memory, and again only for what to say.
func (s *Schema) Validate(v any) error {
	if s.check(v, quiet) == nil {
		return nil
	}
	return s.check(v, telling)
}

// How a value is checked: telling gives the first rule that is broken, and its words;
// quiet tells only whether one is.
type manner bool

const (
	telling manner = false
	quiet   manner = true
)

// errBroken is the error of all quiet checks.
var errBroken = errors.New("a rule is broken")

// errorf is fmt.Errorf, when it matters what it says.
func (m manner) errorf(format string, args ...any) error {
	if m == quiet {
		return errBroken
	}
	return fmt.Errorf(format, args...)
}

func (s *Schema) check(v any, m manner) error {
	if err := s.checkType(v, m); err != nil {
		return err
	}
	switch t := v.(type) {
	case map[string]any:
		if err := s.checkObject(t, m); err != nil {
			return err
		}
		if len(t) == 0 {
			if err := s.checkArray(nil, m); err != nil {
				return err
			}
		}
	case []any:
		if len(t) == 0 {
			if err := s.checkObject(nil, m); err != nil {
				return err
			}
		}
		if err := s.checkArray(t, m); err != nil {
			return err
		}
	case string:
		if err := s.checkString(t, m); err != nil {
			return err
		}
	case json.Number:
		if err := s.checkNumber(t, m); err != nil {
			return err
		}
	}
	if s.enum != nil && !slices.ContainsFunc(s.enum, func(e any) bool { return equal(e, v) }) {
		return errNoneOfEnum
	}
	return s.checkCombined(v, m)
}

// holds tells whether v breaks no rule.
func (s *Schema) holds(v any) bool { return s.check(v, quiet) == nil }

var errNoneOfEnum = errors.New("matches none of the enum values")

func (s *Schema) checkType(v any, m manner) error {
	switch {
	case s.kinds == 0, s.kinds&kindOf(v) != 0, s.kinds&integer != 0 && isInteger(v):
		return nil
	}
	switch {
	case m == quiet:
		return errBroken
	case len(s.types) == 1:
		return fmt.Errorf("wrong type: expected %s, got %s", s.types[0], TypeName(v))
	}
	return fmt.Errorf("wrong type: expected one of %s, got %s", strings.Join(s.types, ", "), TypeName(v))
}

// kind is a set of types as schemas name them.
type kind uint8

const (
	null kind = 1 << iota
	boolean
	text
	number
	integer
	object
	array
)

var kinds = map[string]kind{"null": null, "boolean": boolean, "string": text, "number": number, "integer": integer, "object": object, "array": array}

// kindOf is the types that a value is of, but for integer.
func kindOf(v any) kind {
	switch t := v.(type) {
	case nil:
		return null
	case bool:
		return boolean
	case string:
		return text
	case json.Number:
		return number
	case map[string]any:
		if len(t) == 0 {
			return object | array
		}
		return object
	case []any:
		if len(t) == 0 {
			return object | array
		}
		return array
	}
	return 0
}

func isInteger(v any) bool {
	n, ok := v.(json.Number)
	if !ok {
		return false
	}
	if len(n) < 18 && !strings.ContainsAny(string(n), ".eE") {
		return true
	}
	f, err := n.Float64()
	return err == nil && f == math.Trunc(f)
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

func (s *Schema) checkObject(t map[string]any, m manner) error {
	if err := s.checkProperties(t, m); err != nil {
		return err
	}
	for _, name := range s.required {
		if _, ok := t[name]; !ok {
			if m == quiet {
				return errBroken
			}
			return fmt.Errorf("property %q is required", name)
		}
	}
	if err := s.checkDependencies(t, m); err != nil {
		return err
	}
	if err := s.checkOther(t, m); err != nil {
		return err
	}
	if s.minProps != nil && len(t) < *s.minProps {
		return m.errorf("expect object to have at least %d properties", *s.minProps)
	}
	if s.maxProps != nil && len(t) > *s.maxProps {
		return m.errorf("expect object to have at most %d properties", *s.maxProps)
	}
	return nil
}

// checkProperties checks the members that properties name, in the order of names when
// it matters which is the first.
func (s *Schema) checkProperties(t map[string]any, m manner) error {
	if m == quiet && len(t) < len(s.names) {
		for name, v := range t {
			if of := s.properties[name]; of != nil && !of.holds(v) {
				return errBroken
			}
		}
		return nil
	}
	for _, name := range s.names {
		v, ok := t[name]
		if !ok {
			continue
		}
		if err := s.properties[name].check(v, m); err != nil {
			return m.errorf("property %q validation failed: %w", name, err)
		}
	}
	return nil
}

func (s *Schema) checkDependencies(t map[string]any, m manner) error {
	for _, name := range s.depNames {
		if _, ok := t[name]; !ok {
			continue
		}
		for _, other := range s.depRequire[name] {
			if _, ok := t[other]; !ok {
				return m.errorf("property %q is required when %q is set", other, name)
			}
		}
		if dep := s.depSchema[name]; dep != nil {
			if err := dep.check(t, m); err != nil {
				return m.errorf("failed to validate dependent schema for %q: %w", name, err)
			}
		}
	}
	return nil
}

// checkOther checks the members that no property names, in order when it matters which
// is the first.
func (s *Schema) checkOther(t map[string]any, m manner) error {
	if len(s.patterns) == 0 && !s.closed && s.additional == nil {
		return nil
	}
	if m == quiet {
		for key, v := range t {
			if s.checkMember(key, v, quiet) != nil {
				return errBroken
			}
		}
		return nil
	}
	for _, key := range sortedKeys(t) {
		if err := s.checkMember(key, t[key], telling); err != nil {
			return err
		}
	}
	return nil
}

func (s *Schema) checkMember(key string, v any, m manner) error {
	_, known := s.properties[key]
	for _, p := range s.patterns {
		if !p.re.MatchString(key) {
			continue
		}
		known = true
		if err := p.of.check(v, m); err != nil {
			if m == quiet {
				return errBroken
			}
			return fmt.Errorf("failed to validate %s (matching %s): %w", key, Quote(p.text), err)
		}
	}
	if known {
		return nil
	}
	if s.closed {
		return m.errorf("additional properties forbidden, found %s", key)
	}
	if s.additional != nil {
		if err := s.additional.check(v, m); err != nil {
			return m.errorf("failed to validate additional property %s: %w", key, err)
		}
	}
	return nil
}

func (s *Schema) checkArray(items []any, m manner) error {
	if s.minItems != nil && len(items) < *s.minItems {
		return m.errorf("expect array to have at least %d items", *s.minItems)
	}
	if s.maxItems != nil && len(items) > *s.maxItems {
		return m.errorf("expect array to have at most %d items", *s.maxItems)
	}
	if s.items != nil {
		for i, v := range items {
			if err := s.items.check(v, m); err != nil {
				return m.errorf("failed to validate item %d: %w", i+1, err)
			}
		}
	}
	if s.unique {
		if i, j, ok := twins(items); ok {
			return m.errorf("expected unique items but items %d and %d are equal", i+1, j+1)
		}
	}
	return nil
}
