package route

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"

	"github.com/unilb/unilb/impl/expr"
)

// Rule is one rule as its owner writes it. It must not change once it is in a
// table.
type Rule[T any] struct {
	ID string
	// Hosts: exact names, or a suffix behind one leading "*". Empty: any.
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

// Var implements expr.Vars.
func (c *captured) Var(name string) (string, bool) {
	if part, ok := strings.CutPrefix(name, Param); ok {
		return c.Matched.Capture(c.Path, part)
	}
	return c.Vars.Var(name)
}

// entry is one path of a rule.
type entry[T any] struct {
	rule    *Rule[T]
	pattern string
	beyond  *beyond // nil, as nearly always: the index decides alone
}

// beyond is what of an entry the index cannot decide on.
type beyond struct {
	path  *Pattern  // nil: it decides alone on the path
	hosts hostNames // nil: it decides alone on the host
}

// special is the pattern of a path that the index cannot decide on alone, or nil.
func (e *entry[T]) special() *Pattern {
	if e.beyond == nil {
		return nil
	}
	return e.beyond.path
}

// Condition is one that an index does not know.
type Condition uint8

// The conditions, in the order in which they are looked at.
const (
	Holds Condition = iota // all of them hold
	ByMethod
	ByRemote
	ByHost // with the routers that look for the path alone
	ByVars
	ByPath     // its pattern
	ByListener // an index decides on it: the address and port of the connection
)

func (e *entry[T]) holds(q *Query) bool { return e.fails(q) == Holds }

// fails tells the first condition that does not hold. It sets q.Matched.
func (e *entry[T]) fails(q *Query) Condition {
	r := e.rule
	var special *Pattern
	var hosts hostNames
	if e.beyond != nil {
		special, hosts = e.beyond.path, e.beyond.hosts
	}
	q.Matched = special
	switch {
	case len(r.Methods) > 0 && !slices.Contains(r.Methods, q.Method):
		return ByMethod
	case len(r.Remotes) > 0 && !slices.ContainsFunc(r.Remotes, func(p netip.Prefix) bool { return p.Contains(q.Remote) }):
		return ByRemote
	case hosts != nil && !hosts.match(q):
		return ByHost
	case special == nil && !r.Vars.Eval(q.Vars), special != nil && !r.Vars.Eval((*captured)(q)):
		return ByVars
	case special != nil && !special.re.MatchString(q.Path):
		return ByPath
	}
	return Holds
}

// hostNames are hosts as a condition, in lower case.
type hostNames []string

func (h hostNames) match(q *Query) bool {
	for _, name := range h {
		host := q.Host
		if strings.Contains(name, ":") {
			host = q.Authority
		}
		suffix, wild := strings.CutPrefix(name, "*")
		if at := len(host) - len(suffix); at == 0 || wild && at > 0 {
			if strings.EqualFold(host[at:], suffix) {
				return true
			}
		}
	}
	return false
}

// compare is the order of entries of one path.
func compare[T any](a, b *entry[T]) int {
	return cmp.Or(
		cmp.Compare(b.rule.Priority, a.rule.Priority),
		cmp.Compare(len(b.pattern), len(a.pattern)),
		cmp.Compare(a.rule.Age, b.rule.Age),
		cmp.Compare(a.rule.ID, b.rule.ID),
		cmp.Compare(a.pattern, b.pattern),
	)
}
