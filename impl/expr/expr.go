package expr

import "unique"

// Vars is what an expression is evaluated against. ok is false for a variable
// that is absent. Nearly all variables are text, which operators convert.
type Vars interface {
	// Var returns a variable as text; one that is no text (see MayBeValue) is absent.
	Var(name string) (value string, ok bool)
	// Value returns any variable: text, json.Number, bool, []any or map[string]any, as
	// encoding/json decodes with UseNumber.
	Value(name string) (value any, ok bool)
}

// Expr is a compiled expression: a part, and the expression that must hold as well. Most
// are one term, which is then all in one place: a router that evaluates one of a hundred
// thousand waits for memory. The nil Expr is true.
type Expr struct {
	one  term // unless node is set
	node node // a part that is no single term
	and  *Expr
}

// Eval tells whether the expression holds.
func (e *Expr) Eval(v Vars) bool {
	for ; e != nil; e = e.and {
		if e.node != nil && !e.node.eval(v) || e.node == nil && !e.one.eval(v) {
			return false
		}
	}
	return true
}

// node is one part of a compiled expression.
type node interface{ eval(Vars) bool }

// conjunction is the expression that holds when all parts do.
func conjunction(parts []node) (e *Expr) {
	for i := len(parts) - 1; i >= 0; i-- {
		e = &Expr{and: e}
		if t, ok := parts[i].(term); ok {
			e.one = t
		} else {
			e.node = parts[i]
		}
	}
	return e
}

// all is AND, and what an array of expressions means. Empty: true.
type all []node

func (a all) eval(v Vars) bool {
	for _, n := range a {
		if !n.eval(v) {
			return false
		}
	}
	return true
}

// some is OR.
type some []node

func (s some) eval(v Vars) bool {
	for _, n := range s {
		if n.eval(v) {
			return true
		}
	}
	return false
}

type not struct{ of node }

func (n not) eval(v Vars) bool { return !n.of.eval(v) }

// term is a comparison of one variable.
type term struct {
	name  unique.Handle[string] // thousands of routes ask for few
	right string                // what the variable is compared to, if that is all the test needs
	test  test
}

// test is an operator. ok is false when the variable on the left is absent; right is that
// of the term.
type test func(left string, ok bool, right string) bool

func (t term) eval(v Vars) bool {
	left, ok := v.Var(t.name.Value())
	return t.test(left, ok, t.right)
}
