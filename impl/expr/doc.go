// Package expr owns the expressions of the field vars: APISIX's conditions on
// the variables of a request. Compile turns them into an Expr, which is
// immutable and safe for concurrent use. It knows no request type and no network; a
// request is whatever has variables (Vars, or Values when some are no text). What the process shares are compiled
// patterns, as long as somebody uses them, and the clock that bounds the slow ones.
//
// The grammar is that of lua-resty-expr 1.3:
//
//	[var, op, value]   [var, "!", op, value]   [var, value]
//	["AND"|"OR"|"!AND"|"!OR", expr, expr, …]   [expr, expr, …]  (AND)
//
// Regular expressions are PCRE's. Go's library, which is never slow, runs those that it
// can read; those with look-around or back-references are run by another one, which
// finds nothing when a search takes longer than 20 ms.
package expr
