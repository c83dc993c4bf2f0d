package route

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"

	"github.com/unilb/unilb/impl/expr"
)

// entry is one path of a rule as an index keeps it. What tells it from the paths beside
// it is in itself: a search goes to other memory only for the one that it finds.
type entry[T any] struct {
	tail    uint32 // of its key, see tailOf
	size    uint16 // of its key, which is the beginning of the pattern: all of it, or a prefix
	methods methods
	rule    *Rule[T]
	value   T          // the rule's, as
	vars    *expr.Expr // these are
	pattern string
	beyond  *beyond // nil, as nearly always: index, methods and vars decide alone
}

// beyond is what of an entry neither its index nor a look at its methods and vars decides.
type beyond struct {
	path  *Pattern  // nil: the index decides alone on the path
	hosts hostNames // nil: the index decides alone on the host
}

// maxPath is the longest path of a rule in bytes. The Admin API stores none above 4 KiB.
const maxPath = 1<<16 - 1

func (e *entry[T]) key() string { return e.pattern[:e.size] }

// exact tells the entry of a path from that of a prefix, whose pattern goes on.
func (e *entry[T]) exact() bool { return int(e.size) == len(e.pattern) }

// fits tells whether the key is the path, or is its prefix.
func (e *entry[T]) fits(path string) bool {
	n := int(e.size)
	switch {
	case n > len(path), n < len(path) && e.exact(), tailOf(path[:n]) != e.tail:
		return false
	}
	return path[:n] == e.pattern[:n]
}

// tailOf is a digest of the last eight bytes of a text. Paths of one host differ there
// more often than in front.
func tailOf(s string) uint32 {
	var x uint64
	if n := len(s); n >= 8 {
		s = s[n-8:]
		x = uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
			uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56 // one load
	} else {
		for i := range n {
			x = x<<8 | uint64(s[i])
		}
	}
	return uint32(x * 0x9e3779b97f4a7c15 >> 32) // the golden ratio mixes well
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

// fails tells the first condition that does not hold. It sets q.Matched.
func (e *entry[T]) fails(q *Query) Condition {
	q.Matched = nil
	switch {
	case !e.allows(q.Method):
		return ByMethod
	case e.beyond != nil:
		return e.failsBeyond(q)
	case !e.vars.Eval(q.Vars):
		return ByVars
	}
	return Holds
}

func (e *entry[T]) allows(method string) bool {
	bit := methodBit(method)
	switch {
	case e.methods&bit == 0:
		return false
	case bit == otherMethods:
		return e.methods == anyMethod || slices.Contains(e.rule.Methods, method)
	}
	return true
}

func (e *entry[T]) failsBeyond(q *Query) Condition {
	special, hosts := e.beyond.path, e.beyond.hosts
	q.Matched = special
	switch remotes := e.rule.Remotes; {
	case len(remotes) > 0 && !slices.ContainsFunc(remotes, func(p netip.Prefix) bool { return p.Contains(q.Remote) }):
		return ByRemote
	case hosts != nil && !hosts.match(q):
		return ByHost
	case special == nil && !e.vars.Eval(q.Vars), special != nil && !e.vars.Eval((*captured)(q)):
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

// order is that of the entries of one host: the first that fits and holds wins. Of two
// that never fit one path it means nothing, and goes by what is in the entries.
func order[T any](a, b *entry[T]) int {
	switch {
	case a.exact() && !b.exact():
		return -1
	case b.exact() && !a.exact():
		return 1
	case a.size != b.size:
		return cmp.Compare(b.size, a.size)
	case a.tail != b.tail:
		return cmp.Compare(a.tail, b.tail)
	}
	return cmp.Or(
		cmp.Compare(b.rule.Priority, a.rule.Priority),
		cmp.Compare(len(b.pattern), len(a.pattern)),
		cmp.Compare(a.rule.Age, b.rule.Age),
		cmp.Compare(a.rule.ID, b.rule.ID),
		cmp.Compare(a.pattern, b.pattern),
	)
}
