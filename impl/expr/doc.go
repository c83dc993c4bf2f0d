// Package expr owns the expressions of the field vars: APISIX's conditions on
// the variables of a request. CompileBound turns their JSON into an Expr, which is
// immutable and safe for concurrent use. It is pure: no request type, no
// clock, no network; a request is whatever has variables (Vars).
//
// The grammar is that of lua-resty-expr 1.3:
//
//	[var, op, value]   [var, "!", op, value]   [var, value]
//	["AND"|"OR"|"!AND"|"!OR", expr, expr, …]   [expr, expr, …]  (AND)
//
// Regular expressions are RE2, not PCRE: one with look-around or a
// back-reference is refused when it is compiled, never misread.
package expr
