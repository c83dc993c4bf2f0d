package expr

// Vars is what an expression is evaluated against. ok is false for a variable
// that is absent. All variables are text; an operator converts.
type Vars interface {
	Var(name string) (value string, ok bool)
}

// Expr is a compiled expression. The nil Expr is true.
type Expr struct{ root node }

// Eval tells whether the expression holds.
func (e *Expr) Eval(v Vars) bool { return e == nil || e.root == nil || e.root.eval(v) }

// node is one part of a compiled expression.
type node interface{ eval(Vars) bool }

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
	name string
	test test
}

// test is an operator with its right side. ok is false when the variable is absent.
type test func(left string, ok bool) bool

func (t term) eval(v Vars) bool {
	left, ok := v.Var(t.name)
	return t.test(left, ok)
}
