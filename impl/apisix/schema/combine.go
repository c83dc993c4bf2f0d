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
func (s *Schema) checkCombined(v any, m manner) error {
	for i, sub := range s.allOf {
		if err := sub.check(v, m); err != nil {
			return m.errorf("allOf %d failed: %w", i+1, err)
		}
	}
	if s.anyOf != nil && !slices.ContainsFunc(s.anyOf, func(sub *Schema) bool { return sub.holds(v) }) {
		if m == quiet {
			return errBroken
		}
		return errors.New(noneOf(s.anyOf))
	}
	if s.oneOf != nil {
		if err := s.checkOneOf(v, m); err != nil {
			return err
		}
	}
	if s.not != nil && s.not.holds(v) {
		return errNot
	}
	switch {
	case s.cond == nil:
	case s.cond.holds(v):
		if s.then != nil && !s.then.holds(v) {
			return errThen
		}
	case s.otherwise != nil && !s.otherwise.holds(v):
		return errElse
	}
	return nil
}

var (
	errNot  = errors.New("value wasn't supposed to match schema")
	errThen = errors.New("then clause did not match")
	errElse = errors.New("else clause did not match")
)

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

func (s *Schema) checkOneOf(v any, m manner) error {
	matched := -1
	for i, sub := range s.oneOf {
		if !sub.holds(v) {
			continue
		}
		if matched >= 0 {
			return m.errorf("value should match only one schema, but matches both schemas %d and %d", matched+1, i+1)
		}
		matched = i
	}
	if matched < 0 {
		return errNoneOf
	}
	return nil
}

var errNoneOf = errors.New("value should match only one schema, but matches none")

// few is how many texts are faster compared with one another than looked up.
const few = 16

// twins finds two equal items; the first pair in the order of the second one.
func twins(items []any) (i, j int, found bool) {
	if len(items) <= few && allStrings(items) {
		for j := range items {
			for i := range j {
				if items[i] == items[j] {
					return i, j, true
				}
			}
		}
		return 0, 0, false
	}
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

func allStrings(items []any) bool {
	for _, item := range items {
		if _, ok := item.(string); !ok {
			return false
		}
	}
	return true
}

func equal(a, b any) bool {
	switch a := a.(type) {
	case string:
		b, ok := b.(string)
		return ok && a == b
	case json.Number:
		b, ok := b.(json.Number)
		return ok && (a == b || identity(a) == identity(b))
	}
	return identity(a) == identity(b)
}

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
