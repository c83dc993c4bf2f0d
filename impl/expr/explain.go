package expr

import (
	"encoding/json"
	"strconv"
	"strings"
)

// Failing says in words which part of an expression does not hold, and what its variables
// are; "" when all of it holds. raw is the JSON of a vars field; empty JSON and null are true, too. It compiles the
// parts anew, and is for people.
func Failing(raw []byte, v Vars) string {
	rule, err := decode(raw)
	switch {
	case err != nil:
		return err.Error()
	case len(rule) == 0:
		return ""
	}
	return failing(rule, v)
}

func failing(rule []any, v Vars) string {
	n, err := compile(rule, 0)
	switch {
	case err != nil:
		return err.Error()
	case n.eval(v):
		return ""
	}
	parts := rule
	if word, ok := logicWord(rule[0]); ok {
		if word != "AND" { // all of it is to blame
			return text(rule) + " does not hold" + values(rule, v)
		}
		parts = rule[1:]
	} else if _, nested := rule[0].([]any); !nested {
		return text(rule) + " does not hold" + values(rule, v)
	}
	for _, p := range parts {
		if sub, ok := p.([]any); ok {
			if why := failing(sub, v); why != "" {
				return why
			}
		}
	}
	return text(rule) + " does not hold" // cannot be: one of its parts does not
}

// values tells the variables of a rule, each once.
func values(rule []any, v Vars) string {
	var out []string
	told := map[string]bool{}
	var walk func([]any)
	walk = func(rule []any) {
		if len(rule) == 0 {
			return
		}
		name, isText := rule[0].(string)
		if _, logic := logicWord(rule[0]); isText && !logic {
			if !told[name] {
				told[name] = true
				if value, ok := v.Value(name); ok {
					out = append(out, name+" is "+shown(value))
				} else {
					out = append(out, name+" is not there")
				}
			}
			return
		}
		for _, p := range rule {
			if sub, ok := p.([]any); ok {
				walk(sub)
			}
		}
	}
	walk(rule)
	if len(out) == 0 {
		return ""
	}
	return ": " + strings.Join(out, ", ")
}

// maxShown bounds the bytes that are shown of a value.
const maxShown = 1 << 10

// shown is a value for people: JSON, but for text, which may hold any byte.
func shown(value any) string {
	out := ""
	if s, ok := value.(string); ok {
		out = strconv.Quote(s)
	} else {
		out = text(value)
	}
	if len(out) > maxShown {
		return strings.ToValidUTF8(out[:maxShown], "") + "…"
	}
	return out
}

func text(rule any) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if e.Encode(rule) != nil {
		return "an expression" // cannot be: it came from JSON
	}
	return strings.TrimSuffix(b.String(), "\n")
}
