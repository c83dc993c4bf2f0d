package certs

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// certificate is one for names, without what a handshake needs.
func certificate(id string, age int64, names ...string) *Certificate {
	return &Certificate{ID: id, age: age, names: names}
}

func id(c *Certificate) string {
	if c == nil {
		return "-"
	}
	return c.ID
}

func TestMoreExactNamesWin(t *testing.T) {
	table := &Table{}
	for i, names := range []string{"a.example", "*.example", "*.b.example", "*b.example", "*", "x"} {
		table = table.With(certificate(names, int64(i), names))
	}
	for name, want := range map[string]string{
		"a.example": "a.example", "z.example": "*.example", "z.b.example": "*.b.example",
		"b.example": "*.example", "ab.example": "*b.example", // as little as possible for the star
		"y.z.b.example": "*", "example": "*", "other": "*", "x": "x", "": "-", ".example": "*",
	} {
		if got := id(table.Lookup(name)); got != want {
			t.Errorf("%q: got %s, want %s", name, got, want)
		}
	}
	if got := id(table.Without("*").Lookup("y.z.b.example")); got != "-" {
		t.Errorf("two labels below a star: got %s, want none", got)
	}
}

func TestNobodyTakesANameThatSomebodyHas(t *testing.T) {
	table := (&Table{}).With(certificate("first", 5, "a.example")).With(certificate("later", 7, "a.example", "b.example"))
	if got := id(table.Lookup("a.example")); got != "first" {
		t.Errorf("two certificates for a name: got %s, want the older", got)
	}
	if got := id(table.Without("first").Lookup("a.example")); got != "later" {
		t.Errorf("without the older: got %s, want the other", got)
	}
	moved := table.With(certificate("first", 5, "c.example"))
	if got := id(moved.Lookup("a.example")) + id(moved.Lookup("c.example")) + id(table.Lookup("c.example")); got != "laterfirst-" {
		t.Errorf("after a change of names: got %s", got)
	}
	if table.Len() != 2 || table.Without("none") != table {
		t.Errorf("%d certificates, want 2", table.Len())
	}
}

// naive is Table by the letter of its description.
func naive(all []*Certificate, name string) *Certificate {
	var best *Certificate
	rank := func(c *Certificate) int { // 0: it does not fit
		most := 0
		for _, n := range c.names {
			rest, star := strings.CutPrefix(n, "*")
			taken, ends := strings.CutSuffix(name, rest)
			switch {
			case name == "":
			case !star && n == name:
				most = 1000
			case star && rest == "":
				most = max(most, 1)
			case star && ends && taken != "" && !strings.Contains(taken, "."):
				most = max(most, 1+len(rest))
			}
		}
		return most
	}
	for _, c := range all {
		if r := rank(c); r > 0 && (best == nil || r > rank(best) || r == rank(best) && cmp.Or(cmp.Compare(c.age, best.age), strings.Compare(c.ID, best.ID)) < 0) {
			best = c
		}
	}
	return best
}

func TestTableFindsWhatANaiveOneFinds(t *testing.T) {
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 0))
	label := func() string { return []string{"a", "b", "ab", "ba", "aab"}[r.IntN(5)] }
	host := func() string {
		n := label()
		for range r.IntN(3) {
			n += "." + label()
		}
		return n
	}
	table, all := &Table{}, map[string]*Certificate{}
	for step := range 3000 {
		name := fmt.Sprint(r.IntN(30))
		if r.IntN(3) == 0 {
			table = table.Without(name)
			delete(all, name)
		} else {
			c := certificate(name, int64(r.IntN(5)))
			for range 1 + r.IntN(3) {
				if n := []string{"", "*", "*."}[r.IntN(3)] + host(); !slices.Contains(c.names, n) {
					c.names = append(c.names, n)
				}
			}
			if r.IntN(20) == 0 {
				c.names = append(c.names, "*")
			}
			table = table.With(c)
			all[name] = c
		}
		var list []*Certificate
		for _, c := range all {
			list = append(list, c)
		}
		for range 5 {
			q := host()
			if got, want := table.Lookup(q), naive(list, q); got != want {
				t.Fatalf("seed %d, step %d, %q: got %s, want %s", seed, step, q, id(got), id(want))
			}
		}
	}
}

func TestLookupDoesNotAllocate(t *testing.T) {
	table := &Table{}
	for i := range 1000 {
		table = table.With(certificate(fmt.Sprint(i), 0, fmt.Sprintf("h%d.example", i), fmt.Sprintf("*.w%d.example", i), fmt.Sprintf("*l%d.example", i)))
	}
	got := testing.AllocsPerRun(100, func() {
		for _, n := range []string{"h7.example", "a.w7.example", "al7.example", "nobody.there"} {
			table.Lookup(n)
		}
	})
	if got != 0 {
		t.Errorf("lookups allocate %v times, want 0", got)
	}
}

func BenchmarkLookup(b *testing.B) {
	table := &Table{}
	for i := range 10_000 {
		table = table.With(certificate(fmt.Sprint(i), 0, fmt.Sprintf("h%d.example", i), fmt.Sprintf("*.w%d.example", i)))
	}
	for name, host := range map[string]string{"exact": "h77.example", "star": "www.w77.example", "none": "www.nobody.example"} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				table.Lookup(host)
			}
		})
	}
}
