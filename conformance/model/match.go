package model

import (
	"cmp"
	"fmt"
	"regexp"
	"strings"
)

// How a host or a path is compared.
const (
	Any    = "any"    // host: every request
	Exact  = "exact"  // the whole of it
	Suffix = "suffix" // host: every name that ends with it, ".example.com"
	Prefix = "prefix" // path: every path that begins with it
	Regex  = "regex"  // path: a star in the middle; see Path.Regex
)

// A Host is which host names a rule is for. Names are in lower case and have no
// port: a request's host must be compared that way.
type Host struct {
	Kind string // Any, Exact, Suffix
	Name string // "example.com"; of Suffix ".example.com"; of Any ""
}

// Pattern is the host as the object has it: "*.example.com", "*" for any.
func (h Host) Pattern() string {
	if h.Kind == Exact {
		return h.Name
	}
	return "*" + h.Name
}

// Regex is a regular expression for the whole of a lower-case host. It has no
// anchors.
func (h Host) Regex() string {
	switch h.Kind {
	case Exact:
		return regexp.QuoteMeta(h.Name)
	case Suffix:
		return `\S+` + regexp.QuoteMeta(h.Name)
	}
	return `\S*`
}

// Matches says whether a lower-case host without port is meant.
func (h Host) Matches(host string) bool {
	switch h.Kind {
	case Exact:
		return host == h.Name
	case Suffix:
		return len(host) > len(h.Name) && strings.HasSuffix(host, h.Name)
	}
	return true
}

func parseHost(s string) (Host, error) {
	s = strings.ToLower(s)
	rest, wild := strings.CutPrefix(s, "*")
	if strings.ContainsAny(rest, "* \t\r\n/;{}\"'") || s == "" {
		return Host{}, fmt.Errorf("host %q: want a name, or * and the end of one", s)
	}
	switch {
	case !wild:
		return Host{Exact, s}, nil
	case rest == "":
		return Host{Suffix, ""}, nil // "*", which is more than no host at all
	}
	return Host{Suffix, rest}, nil
}

// compareHosts orders exact names before wildcards, longer wildcards before
// shorter ones, and whatever has no host last.
func compareHosts(a, b Host) int {
	rank := map[string]int{Exact: 0, Suffix: 1, Any: 2}
	return cmp.Or(cmp.Compare(rank[a.Kind], rank[b.Kind]), cmp.Compare(len(b.Name), len(a.Name)), cmp.Compare(a.Name, b.Name))
}

// A Path is which paths a rule is for. A request's path must be compared without
// its query, percent-decoded, with // merged and dot segments resolved.
type Path struct {
	Kind string // Exact, Prefix, Regex
	// Text is the path, the prefix, or of Regex what is before the first star.
	Text string
	full string // as the object has it
}

// Pattern is the path as the object has it.
func (p Path) Pattern() string { return p.full }

// Regex is a regular expression for the path, in the syntax that RE2 and PCRE
// share. It has no anchor at its beginning; where the end counts it ends with \z,
// the end of the text.
func (p Path) Regex() string {
	switch p.Kind {
	case Exact:
		return regexp.QuoteMeta(p.Text) + `\z`
	case Prefix:
		return regexp.QuoteMeta(p.Text)
	}
	var b strings.Builder
	for i, segment := range strings.Split(p.full, "/") {
		if i > 0 {
			b.WriteByte('/')
		}
		if strings.HasPrefix(segment, "*") {
			b.WriteString(`[\s\S]*`)
		} else {
			b.WriteString(regexp.QuoteMeta(segment))
		}
	}
	return b.String() + `\z`
}

func parsePath(s string) (Path, error) {
	if !strings.HasPrefix(s, "/") && s != "*" {
		return Path{}, fmt.Errorf("uri %q: want a path that begins with /", s)
	}
	star := strings.IndexByte(s, '*')
	switch {
	case star < 0:
		return Path{Exact, s, s}, nil
	case star == len(s)-1:
		return Path{Prefix, s[:star], s}, nil
	}
	for segment := range strings.SplitSeq(s, "/") {
		if i := strings.IndexByte(segment, '*'); i > 0 {
			return Path{}, &NoWord{What: fmt.Sprintf("a star within a segment (uri %q)", s)}
		}
	}
	return Path{Regex, s[:star], s}, nil
}

// comparePaths orders exact paths before prefixes and longer prefixes before
// shorter ones; a path with a star in the middle stands with the prefixes, by
// what is before the star.
func comparePaths(a, b Path) int {
	rank := func(p Path) int {
		if p.Kind == Exact {
			return 0
		}
		return 1
	}
	if c := cmp.Compare(rank(a), rank(b)); c != 0 {
		return c
	}
	if a.Kind == Exact {
		return cmp.Compare(a.Text, b.Text)
	}
	return cmp.Or(cmp.Compare(len(b.Text), len(a.Text)), cmp.Compare(a.Text, b.Text))
}
