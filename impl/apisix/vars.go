package apisix

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"strings"
)

// varsDepth bounds the nesting of an expression.
const varsDepth = 32

var operators = map[string]bool{
	"==": true, "~=": true, ">": true, ">=": true, "<": true, "<=": true,
	"~~": true, "~*": true, "in": true, "has": true, "ipmatch": true,
}

// CheckVars reports whether an expression can be compiled, in the words of the
// library that APISIX uses (lua-resty-expr): an array of rules that must all
// hold, or a logical operator followed by at least two rules. It does not compile
// regular expressions: lua-resty-expr compiles them when a request first needs
// them, so APISIX 3.18 stores a broken one such as "(", which then
// finds nothing.
// PCRE accepts more than Go does besides.
func CheckVars(vars []any) error {
	return checkExpression(vars, 0)
}

func checkExpression(list []any, depth int) error {
	if depth > varsDepth {
		return errors.New("invalid expression")
	}
	if len(list) == 0 {
		return nil
	}
	if word, ok := list[0].(string); ok && isLogic(word) {
		if len(list) < 3 {
			return errors.New("rule too short")
		}
		list = list[1:]
	}
	for _, item := range list {
		rule, ok := item.([]any)
		if !ok {
			return errors.New("rule should be wrapped inside brackets")
		}
		if err := checkRule(rule, depth); err != nil {
			return err
		}
	}
	return nil
}

func isLogic(word string) bool {
	switch strings.ToUpper(word) {
	case "AND", "OR", "!AND", "!OR":
		return true
	}
	return false
}

// checkRule checks [var, op, value], [var, "!", op, value], [var, value] or a
// nested expression.
func checkRule(rule []any, depth int) error {
	if len(rule) > 0 {
		word, isWord := rule[0].(string)
		if _, nested := rule[0].([]any); nested || isWord && isLogic(word) {
			return checkExpression(rule, depth+1)
		}
	}
	switch len(rule) {
	case 0, 1:
		return errors.New("rule too short")
	case 2:
		return nil
	case 3:
		return checkOperator(rule[1], rule[2])
	case 4:
		if rule[1] != "!" {
			return errors.New("bad 'not' expression")
		}
		return checkOperator(rule[2], rule[3])
	}
	return errors.New("invalid expression")
}

func checkOperator(op, value any) error {
	word, ok := op.(string)
	if !ok {
		return fmt.Errorf("invalid operator '%s'", display(op))
	}
	switch strings.ToLower(word) {
	case "ipmatch":
		return checkAddresses(value)
	default:
		if !operators[strings.ToLower(word)] {
			return fmt.Errorf("invalid operator '%s'", word)
		}
	}
	return nil
}

func display(v any) string {
	if n, ok := v.(json.Number); ok {
		return string(n)
	}
	return fmt.Sprint(v)
}

func checkAddresses(value any) error {
	list, ok := value.([]any)
	if !ok {
		list = []any{value}
	}
	for _, item := range list {
		text, _ := item.(string)
		if _, err := netip.ParseAddr(text); err == nil {
			continue
		}
		if _, err := netip.ParsePrefix(text); err != nil {
			return errors.New("invalid ip address")
		}
	}
	return nil
}
