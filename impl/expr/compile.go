package expr

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unique"
)

// Errors of Compile. The texts are those of APISIX, which clients see after
// "failed to validate the 'vars' expression: ".
var (
	ErrBrackets = errors.New("rule should be wrapped inside brackets")
	ErrTooShort = errors.New("rule too short")
	ErrNot      = errors.New("bad 'not' expression")
	ErrInvalid  = errors.New("invalid expression")
	ErrIP       = errors.New("invalid ip address")
)

// MaxDepth limits how deep expressions may be nested.
const MaxDepth = 32

func decode(raw []byte) ([]any, error) {
	if len(bytes.TrimSpace(raw)) == 0 {
		return nil, nil
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber() // 64-bit priorities and ports keep their text
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, ErrInvalid
	}
	switch v := v.(type) {
	case nil:
		return nil, nil
	case []any:
		return v, nil
	}
	return nil, ErrBrackets
}

func compileRule(rule []any) (*Expr, error) {
	if len(rule) == 0 {
		return nil, nil
	}
	if _, isLogic := logicWord(rule[0]); !isLogic {
		if _, nested := rule[0].([]any); !nested {
			return nil, ErrBrackets
		}
	}
	n, err := compile(rule, 0)
	if err != nil {
		return nil, err
	}
	if parts, ok := n.(all); ok {
		return conjunction(parts), nil
	}
	return conjunction([]node{n}), nil
}

func compile(rule []any, depth int) (node, error) {
	if depth > MaxDepth {
		return nil, fmt.Errorf("%w: nested deeper than %d", ErrInvalid, MaxDepth)
	}
	if len(rule) == 0 {
		return nil, ErrTooShort // only the whole may be empty
	}
	if word, ok := logicWord(rule[0]); ok {
		if len(rule) < 3 {
			return nil, ErrTooShort
		}
		parts, err := compileAll(rule[1:], depth)
		if err != nil {
			return nil, err
		}
		return logic(word, parts), nil
	}
	if _, nested := rule[0].([]any); nested {
		parts, err := compileAll(rule, depth)
		return all(parts), err
	}
	return compileTerm(rule)
}

func compileAll(rules []any, depth int) ([]node, error) {
	parts := make([]node, 0, len(rules))
	for _, r := range rules {
		sub, ok := r.([]any)
		if !ok {
			return nil, ErrBrackets
		}
		n, err := compile(sub, depth+1)
		if err != nil {
			return nil, err
		}
		parts = append(parts, n)
	}
	return parts, nil
}

func logic(word string, parts []node) node {
	switch word {
	case "OR":
		return some(parts)
	case "!AND":
		return not{all(parts)}
	case "!OR":
		return not{some(parts)}
	}
	return all(parts)
}

func logicWord(v any) (string, bool) {
	s, ok := v.(string)
	if !ok {
		return "", false
	}
	switch w := strings.ToUpper(s); w {
	case "AND", "OR", "!AND", "!OR":
		return w, true
	}
	return "", false
}

// compileTerm compiles [var, op, value], [var, "!", op, value] and [var, value].
func compileTerm(rule []any) (node, error) {
	name, ok := rule[0].(string)
	if !ok {
		name = nobody
	}
	switch len(rule) {
	case 2:
		right := rule[1]
		if s, ok := right.(string); ok {
			right = strings.ToLower(s) // as lua-resty-expr does in this form
		}
		return newTerm(name, "==", right)
	case 3:
		return newTerm(name, operator(rule[1]), rule[2])
	case 4:
		if rule[1] != "!" {
			return nil, ErrNot
		}
		t, err := newTerm(name, operator(rule[2]), rule[3])
		if err != nil {
			return nil, err
		}
		return not{t}, nil
	case 1:
		return nil, ErrTooShort
	}
	return nil, ErrInvalid
}

// nobody is the name of a variable that is never there: in Lua a name may be anything.
const nobody = ""

// operator is an operator as error messages show it.
func operator(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	return fmt.Sprint(v)
}

func newTerm(name, op string, right any) (node, error) {
	if MayBeValue(name) {
		test, err := newValueTest(op, right)
		return valueTerm{strings.Clone(name), test}, err
	}
	test, text, err := newTest(op, right)
	if err != nil {
		return nil, err
	}
	return term{unique.Make(name), text, test}, nil
}
