package route

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
)

// naive is the twin: it knows no index, and none of the code of the package; it takes
// every path of every rule that matches by itself, and keeps the best by a text that
// sorts as the order demands.
func naive(router Router, rules []*Rule[string], q *Query) string {
	var best, id string
	for _, r := range rules {
		a, p := r.Listener.Addr, r.Listener.Port
		if a.IsValid() && a != q.Local.Addr() || p != 0 && p != q.Local.Port() ||
			len(r.Methods) > 0 && !strings.Contains(" "+strings.Join(r.Methods, " ")+" ", " "+q.Method+" ") || len(r.Remotes) > 0 && !r.Remotes[0].Contains(q.Remote) {
			continue
		}
		for _, level := range hostLevels(router, r.Hosts, q) {
			for _, path := range r.Paths {
				if !globs(router, path, q.Path) {
					continue
				}
				rank := fmt.Sprintf("%s %s %03d %04d %05d %s", level, pathLevel(router, path), 500-r.Priority, 1000-len(path), r.Age, r.ID)
				if best == "" || rank < best {
					best, id = rank, r.ID
				}
			}
		}
	}
	if best == "" {
		return "-"
	}
	return id
}

// hostLevels are the levels at which a rule is found for the host of a query, as texts
// the first of which is the first that is looked at.
func hostLevels(router Router, hosts []string, q *Query) (levels []string) {
	if router != HostURI {
		for _, h := range hosts {
			asked := q.Host
			if strings.Contains(h, ":") {
				asked = q.Authority
			}
			if h == asked || h[0] == '*' && strings.HasSuffix(asked, h[1:]) {
				return []string{""}
			}
		}
		if len(hosts) == 0 {
			return []string{""}
		}
		return nil
	}
	for _, h := range hosts {
		switch {
		case h == q.Host:
			levels = append(levels, "a")
		case h[0] == '*' && strings.HasSuffix(q.Host, h[1:]):
			levels = append(levels, fmt.Sprintf("b%03d", 500-len(h)))
		}
	}
	if len(hosts) == 0 {
		levels = []string{"c"}
	}
	return levels
}

// pathLevel sorts exact paths before prefixes, and the longest of these first.
func pathLevel(router Router, path string) string {
	for i, c := range path {
		if c == '*' || c == ':' && router == URIWithParameter {
			return fmt.Sprintf("b%03d", 500-i)
		}
	}
	return "a"
}

// globs tells whether a path matches, by trying all that its wildcards may stand for.
func globs(router Router, pattern, path string) bool {
	if at := strings.Index(pattern, "*"); at == len(pattern)-1 && at >= 0 && (router != URIWithParameter || !strings.Contains(pattern, ":")) {
		return strings.HasPrefix(path, pattern[:at])
	}
	return globSegments(router, strings.Split(pattern, "/"), path)
}

func globSegments(router Router, segments []string, path string) bool {
	seg, last := segments[0], len(segments) == 1
	any := strings.HasPrefix(seg, "*")
	one := router == URIWithParameter && strings.HasPrefix(seg, ":")
	for n := 0; n <= len(path); n++ {
		head, rest := path[:n], path[n:]
		switch {
		case any, one && head != "" && !strings.Contains(head, "/"), !any && !one && head == seg:
		default:
			continue
		}
		if last && rest == "" || !last && rest != "" && rest[0] == '/' && globSegments(router, segments[1:], rest[1:]) {
			return true
		}
	}
	return false
}

func pickSome(r *rand.Rand, from []string, least int) []string {
	n := least + r.IntN(2)
	var out []string
	for range n {
		out = append(out, from[r.IntN(len(from))])
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func randomRules(r *rand.Rand, n int) []*Rule[string] {
	var out []*Rule[string]
	for i := range n {
		rule := &Rule[string]{ID: fmt.Sprint(i), Hosts: pickSome(r, someHosts, 0), Paths: pickSome(r, somePaths, 1),
			Priority: int64(r.IntN(3)), Age: int64(r.IntN(n/2+1) + 1)}
		if r.IntN(4) == 0 {
			rule.Methods = []string{"POST"}
		}
		if r.IntN(8) == 0 {
			rule.Remotes = []netip.Prefix{netip.MustParsePrefix("192.168.0.0/16")}
		}
		local := netip.MustParseAddrPort(askLocals[r.IntN(len(askLocals))])
		if r.IntN(2) == 0 {
			rule.Listener.Addr = local.Addr()
		}
		if r.IntN(2) == 0 {
			rule.Listener.Port = local.Port()
		}
		out = append(out, rule)
	}
	return out
}

func agree(t *testing.T, seed uint64, steps int, router Router) {
	r := rand.New(rand.NewPCG(seed, 7))
	tab := New[string](router)
	live := map[string]*Rule[string]{}
	pool := randomRules(r, steps)
	for _, rule := range pool {
		rule.ID = fmt.Sprint(r.IntN(steps/2 + 1)) // ids come back: replacements
		var err error
		if tab, err = tab.Replace(live[rule.ID], rule); err != nil {
			t.Fatal(err)
		}
		live[rule.ID] = rule
		if r.IntN(3) == 0 {
			id := fmt.Sprint(r.IntN(steps/2 + 1))
			tab, _ = tab.Replace(live[id], nil)
			delete(live, id)
		}
		var rules []*Rule[string]
		for _, l := range live {
			rules = append(rules, l)
		}
		for range 20 {
			q := Query{Local: netip.MustParseAddrPort(askLocals[r.IntN(len(askLocals))]), Remote: netip.MustParseAddr("10.0.0.1"),
				Method: askMethods[r.IntN(2)], Host: askHosts[r.IntN(len(askHosts))], Path: askPaths[r.IntN(len(askPaths))], Vars: noVars{}}
			q.Authority = q.Host + []string{"", ":80", ":81"}[r.IntN(3)]
			got := "-"
			if m, _ := tab.Match(&q); m != nil {
				got = m.ID
			}
			if want := naive(router, rules, &q); got != want {
				t.Fatalf("seed %d, %s: %s %s %q %s = %s, want %s", seed, router, q.Local, q.Method, q.Authority, q.Path, got, want)
			}
		}
	}
	for _, rule := range live {
		tab, _ = tab.Replace(rule, nil)
	}
	if tab.listeners.Len() != 0 || tab.anywhere != nil {
		t.Fatalf("seed %d, %s: emptied table keeps %d listeners", seed, router, tab.listeners.Len())
	}
}

func FuzzTableAgreesWithNaiveTwin(f *testing.F) {
	for i := range uint64(30) {
		f.Add(i, uint8(40))
	}
	f.Fuzz(func(t *testing.T, seed uint64, steps uint8) {
		for _, router := range []Router{HostURI, URI, URIWithParameter} {
			agree(t, seed, int(steps), router)
		}
	})
}
