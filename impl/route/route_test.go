package route

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/unilb/unilb/impl/expr"
)

type noVars struct{}

func (noVars) Var(string) (string, bool) { return "", false }
func (noVars) Value(string) (any, bool)  { return nil, false }

func table(t testing.TB, rules ...*Rule[string]) Table[string] {
	t.Helper()
	var tab Table[string]
	for i, r := range rules {
		r.Value = "the value of " + r.ID
		if r.Age == 0 {
			r.Age = int64(i + 1)
		}
		var err error
		if tab, err = tab.Replace(nil, r); err != nil {
			t.Fatal(err)
		}
	}
	return tab
}

func ask(tab Table[string], method, host, path string) string {
	q := Query{Local: netip.MustParseAddrPort("203.0.113.10:80"), Remote: netip.MustParseAddr("10.0.0.1"),
		Method: method, Host: host, Path: path, Vars: noVars{}}
	if r, value := tab.Match(&q); r != nil {
		if value != r.Value {
			return "the value of another than " + r.ID
		}
		return r.ID
	}
	return "-"
}

func TestOrderOfMatching(t *testing.T) {
	tab := table(t,
		&Rule[string]{ID: "prefix", Hosts: []string{"a.example"}, Paths: []string{"/foo*"}, Priority: 100},
		&Rule[string]{ID: "longer", Hosts: []string{"a.example"}, Paths: []string{"/foo/bar/*"}},
		&Rule[string]{ID: "exact", Hosts: []string{"a.example"}, Paths: []string{"/foo"}, Priority: -5},
		&Rule[string]{ID: "post", Hosts: []string{"a.example"}, Paths: []string{"/foo"}, Methods: []string{"POST"}, Priority: 9},
		&Rule[string]{ID: "wild2", Hosts: []string{"*.b.example"}, Paths: []string{"/*"}},
		&Rule[string]{ID: "wild1", Hosts: []string{"*.example"}, Paths: []string{"/*"}, Priority: 50},
		&Rule[string]{ID: "bare", Hosts: []string{"*example.org"}, Paths: []string{"/*"}},
		&Rule[string]{ID: "nohost", Paths: []string{"/*"}, Priority: 1000},
		&Rule[string]{ID: "middle", Hosts: []string{"m.example"}, Paths: []string{"/x/*/end"}},
		&Rule[string]{ID: "young", Hosts: []string{"tie.example"}, Paths: []string{"/*"}, Age: 20},
		&Rule[string]{ID: "old", Hosts: []string{"tie.example"}, Paths: []string{"/*"}, Age: 19},
		&Rule[string]{ID: "UPPER", Hosts: []string{"Case.Example"}, Paths: []string{"/"}},
	)
	for _, c := range []struct{ method, host, path, want string }{
		{"GET", "a.example", "/foo", "exact"},
		{"POST", "a.example", "/foo", "post"},
		{"GET", "a.example", "/foobar", "prefix"},
		{"GET", "a.example", "/foo/bar/x", "longer"},
		{"GET", "a.example", "/foo/bar", "prefix"},
		{"GET", "a.example", "/other", "wild1"}, // falls through to the next host level
		{"GET", "x.y.b.example", "/", "wild2"},
		{"GET", "b.example", "/", "wild1"}, // *.b.example does not match b.example
		{"GET", "example.org", "/", "bare"},
		{"GET", "barexample.org", "/", "bare"},
		{"GET", "example", "/", "nohost"},
		{"GET", "", "/", "nohost"},
		{"GET", "m.example", "/x/1/2/end", "middle"},
		{"GET", "m.example", "/x/1/2/ende", "wild1"},
		{"GET", "tie.example", "/", "old"},
		{"GET", "case.example", "/", "UPPER"},
	} {
		if got := ask(tab, c.method, c.host, c.path); got != c.want {
			t.Errorf("%s %s%s = %s, want %s", c.method, c.host, c.path, got, c.want)
		}
	}
}

func TestForeignHostOnAnEIPFindsNoTenant(t *testing.T) {
	eip := func(a string) expr.Binding { return expr.Binding{Addr: netip.MustParseAddr(a), Port: 80} }
	tab := table(t,
		&Rule[string]{ID: "red", Hosts: []string{"shop.example"}, Paths: []string{"/*"}, Listener: eip("203.0.113.10")},
		&Rule[string]{ID: "blue", Hosts: []string{"blog.example"}, Paths: []string{"/*"}, Listener: eip("203.0.113.11")},
	)
	if got := ask(tab, "GET", "shop.example", "/"); got != "red" {
		t.Errorf("own host: %s, want red", got)
	}
	if got := ask(tab, "GET", "blog.example", "/"); got != "-" {
		t.Errorf("host of another EIP: %s, want no rule", got)
	}
}

func TestRuleIsReplacedAndOldTableStays(t *testing.T) {
	first := &Rule[string]{ID: "1", Paths: []string{"/a", "/b*"}}
	second := &Rule[string]{ID: "1", Hosts: []string{"h.example"}, Paths: []string{"/c"}}
	one := table(t, first)
	two, err := one.Replace(first, second)
	if err != nil {
		t.Fatal(err)
	}
	if got := ask(two, "GET", "h.example", "/c") + ask(two, "GET", "h.example", "/a") + ask(two, "GET", "h.example", "/bx"); got != "1--" {
		t.Errorf("after the change: %s, want 1--", got)
	}
	if got := ask(one, "GET", "h.example", "/a"); got != "1" {
		t.Errorf("old table: %s, want 1", got)
	}
	if _, err := two.Replace(second, &Rule[string]{ID: "1", Hosts: []string{"a*b"}, Paths: []string{"/"}}); err == nil {
		t.Error("a star inside a host is accepted")
	}
	if empty, err := two.Replace(second, nil); err != nil || empty != (Table[string]{}) {
		t.Errorf("table without its only rule: %+v (%v)", empty, err)
	}
}

func TestPathsOfOneLengthThatEndAlikeAreToldApart(t *testing.T) {
	tab := table(t,
		&Rule[string]{ID: "a", Paths: []string{"/a/settings"}}, &Rule[string]{ID: "b", Paths: []string{"/b/settings"}},
		&Rule[string]{ID: "a*", Paths: []string{"/a/settings/*"}}, &Rule[string]{ID: "b*", Paths: []string{"/b/settings/*"}},
		&Rule[string]{ID: "short", Paths: []string{"/s"}},
	)
	for path, want := range map[string]string{"/a/settings": "a", "/b/settings": "b", "/c/settings": "-", "/b/settings/x": "b*", "/c/settings/x": "-", "/s": "short", "/": "-"} {
		if got := ask(tab, "GET", "", path); got != want {
			t.Errorf("%s = %s, want %s", path, got, want)
		}
	}
	long := &Rule[string]{ID: "long", Paths: []string{"/" + strings.Repeat("x", maxPath)}}
	if _, err := tab.Replace(nil, long); err == nil {
		t.Error("a path longer than an entry can say is accepted")
	}
}

func TestMatchAllocatesNothing(t *testing.T) {
	// Expressions keep what they search with in a pool, which the race detector empties at
	// random: rules with some are left out.
	special := func(p string) bool { _, _, special := HostURI.splitPattern(p); return special }
	rules := slices.DeleteFunc(randomRules(rand.New(rand.NewPCG(1, 2)), 300), func(r *Rule[string]) bool { return slices.ContainsFunc(r.Paths, special) })
	tab := table(t, rules...)
	q := Query{Local: netip.MustParseAddrPort("203.0.113.10:80"), Method: "GET", Host: "a.b.example", Path: "/a/b/c", Vars: noVars{}}
	if n := testing.AllocsPerRun(200, func() { tab.Match(&q) }); n != 0 {
		t.Errorf("Match allocates %v times", n)
	}
}

var (
	someHosts  = []string{"a.example", "b.example", "*.example", "*.b.example", "*", "*b.example", "a.b.example", "a.example:80", "*:81"}
	askHosts   = []string{"a.example", "b.example", "a.b.example", "x.y.b.example", "ab.example", "example", "", "other"}
	somePaths  = []string{"/", "/*", "/a", "/a*", "/a/*", "/a/b", "/a/b*", "/ab", "/a/*/c", "/a/*x/d", "/a/b/c/*", "/a/:x", "/:x/b/*", "/a/:x/c", "/a/*/:y"}
	askPaths   = []string{"/", "/a", "/ab", "/a/", "/a/b", "/a/b/c", "/a/b/c/d", "/a/x/c", "/z", "/a//c", "/a/:x"}
	askLocals  = []string{"203.0.113.10:80", "203.0.113.10:81", "203.0.113.11:80"}
	askMethods = []string{"GET", "POST"}
)

func TestCostOfAChangeDoesNotFollowTheNumberOfRules(t *testing.T) {
	perChange := func(n int) float64 {
		var tab Table[string]
		for i := range n {
			tab, _ = tab.Replace(nil, &Rule[string]{ID: fmt.Sprint(i), Hosts: []string{fmt.Sprintf("h%d.example", i/10)},
				Paths: []string{fmt.Sprintf("/p%d/*", i%10)}})
		}
		extra := &Rule[string]{ID: "extra", Hosts: []string{"h0.example"}, Paths: []string{"/extra/*"}}
		return testing.AllocsPerRun(50, func() { tab.Replace(nil, extra) })
	}
	small, big := perChange(100), perChange(20000)
	if big > 4*small+20 {
		t.Errorf("one change allocates %v times at 100 rules, %v at 20000", small, big)
	}
}
