package expr

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

// MayBeValue tells whether a variable may be something else than text: what is in the body
// of a request.
func MayBeValue(name string) bool {
	return strings.HasPrefix(name, "post_arg_") || strings.HasPrefix(name, "post_arg.") || strings.HasPrefix(name, "graphql_")
}

// valueTerm is the comparison of a variable that may be no text.
type valueTerm struct {
	name string
	test func(left any, ok bool) bool
}

func (t valueTerm) eval(v Vars) bool { return t.test(v.Value(t.name)) }

// newValueTest compiles an operator for a left side of any type. For text it is the same
// test as that of a term.
func newValueTest(op string, right any) (func(left any, ok bool) bool, error) {
	ofText, text, err := newTest(op, right)
	if err != nil {
		return nil, err
	}
	asText := func(left string) bool { return ofText(left, true, text) }
	var other func(left any) bool // what is neither absent nor text
	switch strings.ToLower(op) {
	case "==":
		other = func(left any) bool { return equal(left, right) }
	case "~=":
		other = func(left any) bool { return !equal(left, right) }
	case ">", ">=", "<", "<=":
		other = func(left any) bool { n, ok := left.(json.Number); return ok && asText(n.String()) }
	case "~~", "~*":
		other = func(left any) bool { s, ok := luaText(left); return ok && asText(s) }
	case "in":
		list, _ := right.([]any)
		other = func(left any) bool { return slices.ContainsFunc(list, func(e any) bool { return equal(left, e) }) }
	case "has":
		return func(left any, _ bool) bool {
			list, _ := left.([]any)
			return slices.ContainsFunc(list, func(e any) bool { return equal(e, right) })
		}, nil
	default: // ipmatch
		other = func(any) bool { return false }
	}
	return func(left any, ok bool) bool {
		if s, isText := left.(string); isText || !ok {
			return ofText(s, ok, text)
		}
		return other(left)
	}, nil
}

// equal compares as Lua does, without conversion: values of one type that are the same;
// no two lists are, nor objects.
func equal(a, b any) bool {
	switch a := a.(type) {
	case nil:
		return b == nil
	case json.Number:
		b, ok := b.(json.Number)
		return ok && float(a) == float(b)
	case string, bool:
		return a == b
	}
	return false
}

// float is a number as Lua has it; one that is too large is infinite.
func float(n json.Number) float64 {
	f, _ := strconv.ParseFloat(n.String(), 64) // the text is a number: JSON has no other
	return f
}

// luaText is a value as Lua makes it a text to search in.
func luaText(v any) (string, bool) {
	switch v := v.(type) {
	case json.Number:
		const digits = 14
		return strconv.FormatFloat(float(v), 'g', digits, 64), true
	case bool:
		return strconv.FormatBool(v), true
	}
	return "", false
}
