package route

import (
	"cmp"
	"fmt"
	"net/netip"
	"regexp"
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
	// Paths: exact, or with "*": a prefix when it stands at the end only.
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
	Path   string // normalised
	Vars   expr.Vars
}

// entry is one path of a rule.
type entry[T any] struct {
	rule    *Rule[T]
	pattern string
	re      *regexp.Regexp // nil: the index decides alone
}

// holds tells whether the conditions that are not indexed hold.
func (e *entry[T]) holds(q *Query) bool {
	r := e.rule
	if len(r.Methods) > 0 && !slices.Contains(r.Methods, q.Method) {
		return false
	}
	if len(r.Remotes) > 0 && !slices.ContainsFunc(r.Remotes, func(p netip.Prefix) bool { return p.Contains(q.Remote) }) {
		return false
	}
	return r.Vars.Eval(q.Vars) && (e.re == nil || e.re.MatchString(q.Path))
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

// splitPattern returns the text that the index knows a pattern by, and
// whether it is a prefix. re is set when the index alone cannot decide.
func splitPattern(p string) (key string, prefix bool, re *regexp.Regexp, err error) {
	star := strings.IndexByte(p, '*')
	switch {
	case star < 0:
		return p, false, nil, nil
	case star == len(p)-1:
		return p[:star], true, nil, nil
	}
	re, err = compilePattern(p)
	return p[:star], true, re, err
}

// compilePattern builds the expression of a pattern with a "*" inside: a
// segment that begins with "*" is any text, slashes included, and what follows
// the star in that segment is a name and matches nothing. Other segments are
// literal (APISIX forgets to quote them; we do not).
func compilePattern(p string) (*regexp.Regexp, error) {
	var b strings.Builder
	b.WriteString(`(?s)^`)
	for i, seg := range strings.Split(p, "/") {
		if i > 0 {
			b.WriteByte('/')
		}
		if strings.HasPrefix(seg, "*") {
			b.WriteString(`.*`)
			continue
		}
		b.WriteString(regexp.QuoteMeta(seg))
	}
	b.WriteByte('$')
	re, err := regexp.Compile(b.String())
	if err != nil {
		return nil, fmt.Errorf("path pattern %q: %w", p, err)
	}
	return re, nil
}
