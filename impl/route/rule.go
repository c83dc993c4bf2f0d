package route

import (
	"net/netip"
	"strings"

	"github.com/unilb/unilb/impl/expr"
)

// Rule is one rule as its owner writes it. It must not change once it is in a
// table.
type Rule[T any] struct {
	ID string
	// Hosts: exact names, or a suffix behind one leading "*". Empty: any. A table keeps the
	// texts of these and of Paths: they should be parts of nothing large. A search compares
	// both, and waits for memory once where they lie together.
	Hosts []string
	// Paths: exact, or with "*": a prefix when it stands at the end only. See
	// Router for segments with ":".
	Paths    []string
	Methods  []string // empty: any
	Remotes  []netip.Prefix
	Priority int64
	// Age orders rules of one priority: the smaller wins. The revision at
	// which the object was created serves well.
	Age int64
	// Listener ties the rule to an address and port; its zero fields do not.
	Listener expr.Binding
	Vars     *expr.Expr
	Value    T
}

// Query is what the table is asked.
type Query struct {
	Local  netip.AddrPort // the address the connection came to
	Remote netip.Addr
	Method string
	Host   string // lower case, without port
	// Authority is the Host as it was sent, with its port. Only hosts of rules that have
	// a colon are compared to it, and only by the routers that look for the path alone.
	Authority string
	Path      string // normalised
	Vars      expr.Vars
	// Matched is set by Match: the path of the rule, when parts of the request's path
	// have names in it; else nil.
	Matched *Pattern
}

// Param is the prefix of the names of variables for parts of the path.
const Param = "uri_param_"

// captured is a query as the conditions of a rule see it, parts of the path included.
type captured Query

var _ expr.Vars = (*captured)(nil)

// Var implements expr.Vars.
func (c *captured) Var(name string) (string, bool) {
	if part, ok := strings.CutPrefix(name, Param); ok {
		return c.Matched.Capture(c.Path, part)
	}
	return c.Vars.Var(name)
}

// Value implements expr.Vars.
func (c *captured) Value(name string) (any, bool) {
	if strings.HasPrefix(name, Param) {
		return c.Var(name)
	}
	return c.Vars.Value(name)
}
