package config

import (
	"fmt"
	"iter"
	"net/netip"
	"slices"
	"strings"

	"github.com/unilb/unilb/impl/expr"
	"github.com/unilb/unilb/impl/route"
)

// A Candidate is a path of a route that was, or was not, looked at for a query.
type Candidate struct {
	Route *Route
	// Host is what the route is found by at that level: a name, a suffix behind a star,
	// or "" where hosts do not count.
	Host string
	Path string
	// Holds: all its conditions do.
	Holds bool

	found route.Candidate[*Route]
	query *route.Query
	more  string // why, in the place of or before what was found
}

func candidate(r *Route, c route.Candidate[*Route], q *route.Query) Candidate {
	return Candidate{Route: r, Host: c.Host, Path: c.Path, Holds: c.Fails == route.Holds, found: c, query: q}
}

// Why says in words which condition does not hold; "": all do. It may compile expressions
// anew: ask for those that somebody will read.
func (c *Candidate) Why() string {
	text := why(&c.found, c.query)
	switch {
	case c.more == "":
		return text
	case text == "":
		return c.more
	}
	return c.more + "; and " + text
}

// Candidates yields the paths of routes that lie on the way of a query, in the order in
// which Match looks at them. The first that holds is what it returns; those behind it
// are never looked at.
func (s *Snapshot) Candidates(q *route.Query) iter.Seq[Candidate] {
	return func(yield func(Candidate) bool) {
		for c := range s.table.Candidates(q) {
			if !yield(candidate(c.Rule.Value, c, q)) {
				return
			}
		}
	}
}

// Disabled yields the routes of status 0 that would lie on the way of a query.
func (s *Snapshot) Disabled(q *route.Query) iter.Seq[Candidate] {
	return func(yield func(Candidate) bool) {
		for _, r := range s.routes.All() {
			if !r.disabled {
				continue
			}
			if c := s.ifEnabled(r, q); c.Holds && !yield(c) {
				return
			}
		}
	}
}

// Why says what keeps a route from a query, whether or not it lies on the way.
func (s *Snapshot) Why(r *Route, q *route.Query) Candidate {
	if r.disabled {
		c := s.ifEnabled(r, q)
		c.Holds = false
		return c
	}
	return candidate(r, s.table.Why(r.ruleWith(s.service(r.ServiceID)), q), q)
}

// ifEnabled is Why for a route of status 0 as if it took part. It tells the status as well.
func (s *Snapshot) ifEnabled(r *Route, q *route.Query) Candidate {
	rule := r.rule
	if r.inheritsHosts() {
		rule.Hosts = s.service(r.ServiceID).hosts()
	}
	c := candidate(r, s.table.Why(&rule, q), q)
	c.more = "its status is 0"
	return c
}

// why is the condition that a candidate fails at in words.
func why(c *route.Candidate[*Route], q *route.Query) string {
	if c.Fails == route.Holds {
		return ""
	}
	switch r := c.Rule; c.Fails {
	case route.ByMethod:
		return fmt.Sprintf("the method %s is not %s", q.Method, strings.Join(r.Methods, ", "))
	case route.ByRemote:
		return fmt.Sprintf("the client %s is not in %s", addrText(q.Remote), texts(r.Remotes))
	case route.ByHost:
		return fmt.Sprintf("the host %s is not %s", quoted(q.Host), strings.Join(r.Hosts, ", "))
	case route.ByVars:
		if text := expr.Failing(r.Value.vars(), bound{c.Vars(q), q}); text != "" {
			return "vars: " + text
		}
		return "vars do not hold"
	case route.ByPath:
		if c.Path != "" {
			return fmt.Sprintf("the path %s does not fit %s", q.Path, c.Path)
		}
		return fmt.Sprintf("the path %s is not %s", q.Path, strings.Join(r.Paths, ", "))
	case route.ByListener:
		return fmt.Sprintf("the connection came to %s, the route is of %s", addrPortText(q.Local), bindingText(r.Listener))
	}
	return "it does not match"
}

// bound are variables with those that tie a route to its listener, which a table takes
// out of its expressions.
type bound struct {
	expr.Vars
	q *route.Query
}

func (b bound) Var(name string) (string, bool) {
	switch {
	case name == "server_addr" && b.q.Local.IsValid():
		return b.q.Local.Addr().Unmap().String(), true
	case name == "server_port" && b.q.Local.IsValid():
		return fmt.Sprint(b.q.Local.Port()), true
	}
	return b.Vars.Var(name)
}

func (b bound) Value(name string) (any, bool) {
	if name == "server_addr" || name == "server_port" {
		return b.Var(name)
	}
	return b.Vars.Value(name)
}

func texts(nets []netip.Prefix) string {
	out := make([]string, len(nets))
	for i, n := range nets {
		if out[i] = n.String(); n.IsSingleIP() {
			out[i] = n.Addr().String()
		}
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}

func quoted(host string) string {
	if host == "" {
		return `""`
	}
	return host
}

func addrText(a netip.Addr) string {
	if !a.IsValid() {
		return "of unknown address"
	}
	return a.String()
}

func addrPortText(a netip.AddrPort) string {
	if !a.IsValid() {
		return "an address that was not said"
	}
	return a.String()
}

func bindingText(b expr.Binding) string {
	switch {
	case b.Port == 0:
		return b.Addr.String()
	case !b.Addr.IsValid():
		return fmt.Sprintf("port %d", b.Port)
	}
	return netip.AddrPortFrom(b.Addr, b.Port).String()
}
