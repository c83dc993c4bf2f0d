package schema

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// checkCombined checks the keywords that are made of other schemas.
func (s *Schema) checkCombined(v any) error {
	for i, sub := range s.allOf {
		if err := sub.Validate(v); err != nil {
			return fmt.Errorf("allOf %d failed: %w", i+1, err)
		}
	}
	if s.anyOf != nil && !slices.ContainsFunc(s.anyOf, func(sub *Schema) bool { return sub.Validate(v) == nil }) {
		return errors.New(noneOf(s.anyOf))
	}
	if s.oneOf != nil {
		if err := s.checkOneOf(v); err != nil {
			return err
		}
	}
	if s.not != nil && s.not.Validate(v) == nil {
		return errors.New("value wasn't supposed to match schema")
	}
	if s.cond == nil {
		return nil
	}
	if s.cond.Validate(v) == nil {
		if s.then != nil && s.then.Validate(v) != nil {
			return errors.New("then clause did not match")
		}
	} else if s.otherwise != nil && s.otherwise.Validate(v) != nil {
		return errors.New("else clause did not match")
	}
	return nil
}

// noneOf lists what the alternatives require, the only hint the message gives.
func noneOf(alternatives []*Schema) string {
	var lists []string
	for _, sub := range alternatives {
		if len(sub.required) == 0 {
			continue
		}
		b, err := json.Marshal(sub.required)
		if err == nil {
			lists = append(lists, string(b))
		}
	}
	if len(lists) == 0 {
		return "object matches none of the required"
	}
	return "object matches none of the required: " + strings.Join(lists, " or ")
}

func (s *Schema) checkOneOf(v any) error {
	matched := -1
	for i, sub := range s.oneOf {
		if sub.Validate(v) != nil {
			continue
		}
		if matched >= 0 {
			return fmt.Errorf("value should match only one schema, but matches both schemas %d and %d", matched+1, i+1)
		}
		matched = i
	}
	if matched < 0 {
		return errors.New("value should match only one schema, but matches none")
	}
	return nil
}

// twins finds two equal items; the first pair in the order of the second one.
func twins(items []any) (i, j int, found bool) {
	seen := make(map[string]int, len(items))
	for j, v := range items {
		key := identity(v)
		if i, ok := seen[key]; ok {
			return i, j, true
		}
		seen[key] = j
	}
	return 0, 0, false
}

func equal(a, b any) bool { return identity(a) == identity(b) }

// identity spells a value such that equal values, and only those, have equal
// spellings: keys sorted, numbers by value.
func identity(v any) string {
	var b strings.Builder
	spell(&b, v)
	return b.String()
}

func spell(b *strings.Builder, v any) {
	switch t := v.(type) {
	case json.Number:
		f, err := t.Float64()
		if err != nil {
			b.WriteString(string(t))
			return
		}
		fmt.Fprintf(b, "%v", f)
	case string:
		fmt.Fprintf(b, "%q", t)
	case []any:
		b.WriteByte('[')
		for _, item := range t {
			spell(b, item)
			b.WriteByte(',')
		}
		b.WriteByte(']')
	case map[string]any:
		b.WriteByte('{')
		for _, k := range sortedKeys(t) {
			fmt.Fprintf(b, "%q:", k)
			spell(b, t[k])
			b.WriteByte(',')
		}
		b.WriteByte('}')
	default:
		fmt.Fprintf(b, "%v", t)
	}
}

func sortedKeys(m map[string]any) []string { return slices.Sorted(maps.Keys(m)) }
