package expr

import (
	"encoding/json"
	"net/netip"
	"strconv"
)

// Binding is the listener that an expression ties a request to. The zero
// fields mean: not tied.
type Binding struct {
	Addr netip.Addr
	Port uint16
}

// Compile compiles the value of a vars field, as encoding/json decodes it with
// UseNumber; nil and [] are true. The terms that tie the request to a listener
// (server_addr == "a", server_port == p) are taken out of the expression and returned
// as a Binding, so that a router can index on them. The rest of the expression and the
// binding together mean exactly the whole. Only equalities that every match must
// satisfy are taken: those at the top, or directly inside a top AND; a second term for
// the same variable stays in the rest.
func Compile(rule []any) (*Expr, Binding, error) {
	var b Binding
	terms := rule
	if len(rule) > 0 {
		if word, ok := logicWord(rule[0]); ok {
			if word != "AND" {
				e, err := compileRule(rule)
				return e, b, err
			}
			if terms = rule[1:]; len(terms) < 2 {
				return nil, b, ErrTooShort
			}
		}
	}
	rest := make([]node, 0, len(terms))
	for _, t := range terms {
		sub, ok := t.([]any)
		if !ok {
			return nil, Binding{}, ErrBrackets
		}
		// Taking a term out must not hide an error in it.
		n, err := compile(sub, 1)
		if err != nil {
			return nil, Binding{}, err
		}
		if !b.take(sub) {
			rest = append(rest, n)
		}
	}
	return conjunction(rest), b, nil
}

// take takes the term if it is an equality with a listener's address or port
// in the one form that text comparison and the index see alike.
func (b *Binding) take(t []any) bool {
	if len(t) != 3 || t[1] != "==" {
		return false
	}
	switch t[0] {
	case "server_addr":
		s, _ := t[2].(string)
		a, err := netip.ParseAddr(s)
		if err != nil || a.String() != s || a.Is4In6() || a.Zone() != "" || b.Addr.IsValid() {
			return false
		}
		b.Addr = a
		return true
	case "server_port":
		text, _ := t[2].(string)
		if n, ok := t[2].(json.Number); ok {
			text = n.String()
		}
		p, err := strconv.ParseUint(text, 10, 16)
		if err != nil || p == 0 || strconv.FormatUint(p, 10) != text || b.Port != 0 {
			return false
		}
		b.Port = uint16(p)
		return true
	}
	return false
}
