package route

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"

	"github.com/unilb/unilb/impl/expr"
)

// oneVar is a query whose only variable is arg_x.
type oneVar string

func (v oneVar) Var(name string) (string, bool) { return string(v), name == "arg_x" && v != "" }
func (v oneVar) Value(name string) (any, bool)  { return v.Var(name) }

// lacks tells, by itself, which conditions of a rule and a path of it do not hold.
func lacks(router Router, r *Rule[string], path string, q *Query) (failing []Condition) {
	if len(r.Methods) > 0 && r.Methods[0] != q.Method {
		failing = append(failing, ByMethod)
	}
	if len(r.Remotes) > 0 && !r.Remotes[0].Contains(q.Remote) {
		failing = append(failing, ByRemote)
	}
	if len(hostLevels(router, r.Hosts, q)) == 0 {
		failing = append(failing, ByHost)
	}
	if x, _ := q.Vars.Var("arg_x"); r.Vars != nil && x != "1" {
		failing = append(failing, ByVars)
	}
	if path != "" && !globs(router, path, q.Path) {
		failing = append(failing, ByPath)
	}
	return failing
}

func TestCandidatesAgreeWithMatchAndTellTheTruth(t *testing.T) {
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 7))
	vars, _, err := expr.Compile([]any{[]any{"arg_x", "==", "1"}})
	if err != nil {
		t.Fatal(err)
	}
	seen := map[Condition]int{}
	for round := range 60 {
		router := Router(round % len(routers))
		tab := New[string](router)
		rules := randomRules(r, 40)
		for _, rule := range rules {
			if r.IntN(3) == 0 {
				rule.Vars = vars
			}
			if tab, err = tab.Replace(nil, rule); err != nil {
				t.Fatal(err)
			}
		}
		for range 30 {
			q := Query{Local: netip.MustParseAddrPort(askLocals[r.IntN(len(askLocals))]), Remote: netip.MustParseAddr("10.0.0.1"),
				Method: askMethods[r.IntN(2)], Host: askHosts[r.IntN(len(askHosts))], Path: askPaths[r.IntN(len(askPaths))], Vars: oneVar([]string{"", "1", "2"}[r.IntN(3)])}
			q.Authority = q.Host
			judge(t, seed, router, tab, rules, &q, seen)
		}
	}
	for _, c := range []Condition{Holds, ByMethod, ByRemote, ByHost, ByVars, ByPath, ByListener} {
		if seen[c] == 0 {
			t.Errorf("seed %d: condition %d never came up", seed, c)
		}
	}
}

func judge(t *testing.T, seed uint64, router Router, tab Table[string], rules []*Rule[string], q *Query, seen map[Condition]int) {
	t.Helper()
	want, got := "-", "-"
	if m, _ := tab.Match(q); m != nil {
		want = m.ID
	}
	fitting := map[string]bool{}
	for c := range tab.Candidates(q) {
		seen[c.Fails]++
		failing := lacks(router, c.Rule, c.Path, q)
		switch {
		case c.Fails == Holds && len(failing) > 0, c.Fails != Holds && (len(failing) == 0 || c.Fails != failing[0]):
			t.Fatalf("seed %d, %s: %s %s %s%s: rule %s fails at %d, want the first of %v", seed, router, q.Local, q.Method, q.Host, q.Path, c.Rule.ID, c.Fails, failing)
		case c.Fails == Holds && got == "-":
			got = c.Rule.ID
		}
		if c.Fails == Holds {
			fitting[c.Rule.ID] = true
		}
	}
	if got != want {
		t.Fatalf("seed %d, %s: %s %s %s%s: the first that holds is %s, Match says %s", seed, router, q.Local, q.Method, q.Host, q.Path, got, want)
	}
	for _, rule := range rules {
		why := tab.Why(rule, q)
		seen[why.Fails]++
		a, p := rule.Listener.Addr, rule.Listener.Port
		elsewhere := a.IsValid() && a != q.Local.Addr() || p != 0 && p != q.Local.Port()
		fits := !elsewhere && slices.ContainsFunc(rule.Paths, func(path string) bool { return len(lacks(router, rule, path, q)) == 0 })
		if fits != fitting[rule.ID] || fits != (why.Fails == Holds) || elsewhere != (why.Fails == ByListener) {
			t.Fatalf("seed %d, %s: %s %s %s%s: rule %s: among candidates %v, why %d, want fits %v, elsewhere %v", seed, router, q.Local, q.Method, q.Host, q.Path,
				rule.ID, fitting[rule.ID], why.Fails, fits, elsewhere)
		}
		if failing := lacks(router, rule, why.Path, q); why.Fails != Holds && !elsewhere && why.Path != "" && !slices.Contains(failing, why.Fails) {
			t.Fatalf("seed %d, %s: rule %s fails at %d, which is none of %v", seed, router, rule.ID, why.Fails, failing)
		}
	}
}

func TestHostsThatDifferInCaseAreOne(t *testing.T) {
	twice := &Rule[string]{ID: "1", Hosts: []string{"A.example", "*.B.example", "a.example", "*.b.example"}, Paths: []string{"/"}}
	tab := table(t, twice)
	for _, host := range []string{"a.example", "x.b.example"} {
		n := 0
		for range tab.Candidates(&Query{Host: host, Path: "/", Method: "GET"}) {
			n++
		}
		if n != 1 {
			t.Errorf("%d candidates for %s, want one", n, host)
		}
	}
	if twice.Hosts[0] != "A.example" {
		t.Errorf("the rule was changed: %v", twice.Hosts)
	}
	if tab, err := tab.Replace(twice, nil); err != nil || tab.anywhere != nil {
		t.Errorf("%v; without its rule the table has %+v", err, tab.anywhere)
	}
}
