package route

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
)

// naive is the twin: it knows no index, only the order in the package doc.
func naive(rules []*Rule[string], q *Query) string {
	type candidate struct {
		e            *entry[string]
		host, suffix int // host: 2 exact, 1 wildcard, 0 none
		exact        bool
		prefix       int
	}
	var best *candidate
	for _, r := range rules {
		a, p := r.Listener.Addr, r.Listener.Port
		if a.IsValid() && a != q.Local.Addr() || p != 0 && p != q.Local.Port() {
			continue
		}
		names := r.Hosts
		if len(names) == 0 {
			names = []string{""}
		}
		for _, h := range names {
			host, suffix := 0, 0
			switch {
			case h == "":
			case strings.HasPrefix(h, "*"):
				if !strings.HasSuffix(q.Host, h[1:]) {
					continue
				}
				host, suffix = 1, len(h)-1
			case h != q.Host:
				continue
			default:
				host = 2
			}
			for _, pattern := range r.Paths {
				c := &candidate{e: &entry[string]{rule: r, pattern: pattern}, host: host, suffix: suffix}
				key, isPrefix, re, _ := splitPattern(pattern)
				c.e.re, c.exact, c.prefix = re, !isPrefix, len(key)
				if isPrefix && !strings.HasPrefix(q.Path, key) || !isPrefix && q.Path != key || !c.e.holds(q) {
					continue
				}
				if best == nil || cmp.Or(cmp.Compare(c.host, best.host), cmp.Compare(c.suffix, best.suffix),
					cmp.Compare(b2i(c.exact), b2i(best.exact)), cmp.Compare(c.prefix, best.prefix), -compare(c.e, best.e)) > 0 {
					best = c
				}
			}
		}
	}
	if best == nil {
		return "-"
	}
	return best.e.rule.ID
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
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

func agree(t *testing.T, seed uint64, steps int) {
	r := rand.New(rand.NewPCG(seed, 7))
	var tab Table[string]
	live := map[string]*Rule[string]{}
	pool := randomRules(r, steps)
	for _, rule := range pool {
		rule.ID = fmt.Sprint(r.IntN(steps/2 + 1)) // ids come back: replacements
		var err error
		if tab, err = tab.With(rule); err != nil {
			t.Fatal(err)
		}
		live[rule.ID] = rule
		if r.IntN(3) == 0 {
			id := fmt.Sprint(r.IntN(steps/2 + 1))
			tab = tab.Without(id)
			delete(live, id)
		}
		var rules []*Rule[string]
		for _, l := range live {
			rules = append(rules, l)
		}
		for range 20 {
			q := Query{Local: netip.MustParseAddrPort(askLocals[r.IntN(len(askLocals))]), Remote: netip.MustParseAddr("10.0.0.1"),
				Method: askMethods[r.IntN(2)], Host: askHosts[r.IntN(len(askHosts))], Path: askPaths[r.IntN(len(askPaths))], Vars: noVars{}}
			got := "-"
			if m := tab.Match(&q); m != nil {
				got = m.ID
			}
			if want := naive(rules, &q); got != want {
				t.Fatalf("seed %d: %s %s %q %s = %s, want %s", seed, q.Local, q.Method, q.Host, q.Path, got, want)
			}
		}
	}
	for id := range live {
		tab = tab.Without(id)
	}
	if tab.rules.Len() != 0 || tab.listeners.Len() != 0 || tab.anywhere != nil {
		t.Fatalf("seed %d: emptied table keeps %d rules, %d listeners", seed, tab.rules.Len(), tab.listeners.Len())
	}
}

func FuzzTableAgreesWithNaiveTwin(f *testing.F) {
	for i := range uint64(30) {
		f.Add(i, uint8(40))
	}
	f.Fuzz(func(t *testing.T, seed uint64, steps uint8) { agree(t, seed, int(steps)) })
}
