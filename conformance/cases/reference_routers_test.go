package cases

import (
	"cmp"
	"net"
	"regexp"
	"slices"
	"strings"

	"github.com/unilb/unilb/conformance/spec"
)

// router is which of APISIX's routers the reference has.
type router uint8

const (
	byHost      router = iota // radixtree_host_uri
	byURI                     // radixtree_uri
	byParameter               // radixtree_uri_with_parameter
)

func routerOf(c spec.Case) router {
	switch {
	case slices.Contains(c.Needs, spec.RouterURI):
		return byURI
	case slices.Contains(c.Needs, spec.RouterParameter):
		return byParameter
	}
	return byHost
}

// rank is the rank of the host that fits, and whether one does. Where hosts are
// conditions, one with a colon is compared to what was sent.
func (g *reference) rank(hosts []string, host, sent string) (rank int, ok bool) {
	switch {
	case g.router == byHost:
		return g.host(hosts, host)
	case g.is("forgets hosts"):
		return 0, true
	case g.is("keeps ports"):
		return g.host(hosts, strings.ToLower(sent))
	case slices.ContainsFunc(hosts, func(h string) bool { return strings.Contains(h, ":") }) && !g.is("cuts ports"):
		return g.host(hosts, strings.ToLower(sent))
	case g.is("cuts ports"):
		hosts = slices.Clone(hosts)
		for i, h := range hosts {
			if name, _, err := net.SplitHostPort(h); err == nil {
				hosts[i] = name
			}
		}
	}
	return g.host(hosts, host)
}

// level is what a host counts before the path.
func (g *reference) level(rank int) int {
	if g.router == byHost || g.is("looks for the host first") {
		return rank
	}
	return 0
}

// hostOrder is how a bug orders routes of one path that have hosts.
func (g *reference) hostOrder(a, b entry) int {
	if g.router != byHost && g.is("an exact host is worth more") {
		return cmp.Compare(b.host, a.host)
	}
	return 0
}

// parameters makes an expression of a path with parameters, and the names of them.
func (g *reference) parameters(uri string) (*regexp.Regexp, []string) {
	one := `([^/]+)`
	switch {
	case g.is("a parameter is any text"):
		one = `(.+)`
	case g.is("a parameter may be empty"):
		one = `([^/]*)`
	}
	var parts, names []string
	for part := range strings.SplitSeq(uri, "/") {
		switch {
		case strings.HasPrefix(part, ":"):
			names, part = append(names, part[1:]), one
		case part == "*":
			part = `.*`
		default:
			part = regexp.QuoteMeta(part)
		}
		parts = append(parts, part)
	}
	return regexp.MustCompile(`(?s)^` + strings.Join(parts, "/") + `$`), names
}

func (g *reference) parameterPath(uri, path string) (exact bool, prefix int, ok bool) {
	before, _, _ := strings.Cut(uri, ":")
	if g.is("a parameter ends a path") {
		return false, len(before), strings.HasPrefix(path, before)
	}
	re, _ := g.parameters(uri)
	return g.is("parameters are exact"), len(before), re.MatchString(path)
}

// parameter is what stands for a name in the path of the route that is tried.
func (g *reference) parameter(path, name string) (string, bool) {
	if g.is("says no parameters") || !strings.Contains(g.tried, "/:") {
		return "", false
	}
	re, names := g.parameters(g.tried)
	i := slices.Index(names, name)
	if g.is("knows one parameter") {
		i = 0
	}
	found := re.FindStringSubmatch(path)
	if i < 0 || found == nil {
		return "", false
	}
	return found[i+1], true
}
