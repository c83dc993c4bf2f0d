package route

import (
	"fmt"
	"math/bits"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/unilb/unilb/impl/route/hamt"
)

// checkPaths judges the shape of what is kept for one host. It returns the number of
// branches.
func checkPaths(t *testing.T, p *paths[string], key string, top bool) (branches int) {
	t.Helper()
	list, begin := p.list, key
	if b := p.branch; b != nil {
		branches++
		list, begin = b.here, key+b.label
		count, kid := len(b.here), 0
		for c := range 256 {
			if b.bytes[c/64]>>(c%64)&1 == 0 {
				continue
			}
			count += b.kids[kid].size()
			branches += checkPaths(t, &b.kids[kid], begin+string([]byte{byte(c)}), false)
			kid++
		}
		switch {
		case kid != len(b.kids):
			t.Fatalf("%q: %d bytes of %d kids", begin, kid, len(b.kids))
		case count != b.n:
			t.Fatalf("%q: %d entries are counted, want %d", begin, b.n, count)
		case b.n <= few/2:
			t.Fatalf("%q: a branch of %d entries", begin, b.n)
		case len(b.here) == 0 && len(b.kids) < 2:
			t.Fatalf("%q: a branch that only leads on", begin)
		}
	} else if len(list) > few || len(list) == 0 && !top {
		t.Fatalf("%q: a list of %d", key, len(list))
	}
	for i := range list {
		e := &list[i]
		if len(e.key()) < len(begin) || e.key()[:len(begin)] != begin || p.branch != nil && e.key() != begin {
			t.Fatalf("%q: here is %q", begin, e.key())
		}
		if e.tail != tailOf(e.key()) || i > 0 && order(&list[i-1], e) >= 0 {
			t.Fatalf("%q: %q out of order", begin, e.pattern)
		}
	}
	return branches
}

func checkTable(t *testing.T, tab Table[string]) (branches int) {
	t.Helper()
	each := func(h *hosts[string]) {
		branches += checkPaths(t, &h.none, "", true)
		lengths := map[int]int{}
		for _, m := range []*names[paths[string]]{&h.exact, &h.wild} {
			for l := range m.all() {
				if l.val.empty() {
					t.Fatalf("host %q has no path", l.name)
				}
				branches += checkPaths(t, &l.val, "", true)
			}
		}
		for l := range h.wild.all() {
			lengths[len(l.name)]++
		}
		for i, s := range h.suffixes {
			if s.n == 0 || lengths[s.len] != s.n || i > 0 && h.suffixes[i-1].len <= s.len {
				t.Fatalf("suffixes are counted as %v, there are %v", h.suffixes, lengths)
			}
			delete(lengths, s.len)
		}
		if len(lengths) > 0 {
			t.Fatalf("suffixes are counted as %v, and there are %v", h.suffixes, lengths)
		}
	}
	if tab.anywhere != nil {
		each(tab.anywhere)
	}
	for _, h := range tab.listeners.All() {
		each(h)
	}
	return branches
}

// contentOf is all that is in a table, in the order in which it is kept.
func contentOf(tab Table[string]) (all []string) {
	of := func(host string, p *paths[string]) {
		p.each(func(e *entry[string]) { all = append(all, host+" "+e.pattern+" "+e.rule.ID) })
	}
	if h := tab.anywhere; h != nil {
		of("", &h.none)
		for l := range h.exact.all() {
			of(l.name, &l.val)
		}
		for l := range h.wild.all() {
			of("*"+l.name, &l.val)
		}
	}
	return all
}

func TestShapeOfALongListFollowsItsContent(t *testing.T) {
	p := paths[string]{}
	set := func(path string, n int, next bool) {
		r := &Rule[string]{ID: fmt.Sprint(n), Paths: []string{path}}
		d := change[string]{key: path, pattern: path}
		if next {
			e := entry[string]{tail: tailOf(path), size: uint16(len(path)), rule: r, pattern: path}
			d.next = &e
		} else {
			p.each(func(e *entry[string]) {
				if e.rule.ID == r.ID && e.pattern == path {
					d.old = e.rule
				}
			})
		}
		p = p.with(&d, 0)
	}
	// All of one path: there is nothing to branch on.
	for n := range 3 * few {
		set("/same", n, true)
	}
	if got := checkPaths(t, &p, "", true); got != 1 || len(p.branch.here) != 3*few {
		t.Errorf("of one path: %d branches", got)
	}
	set("/sam", 0, true) // splits the label
	if p.branch.label != "/sam" || p.branch.bytes['e'/64] != 1<<('e'%64) || bits.OnesCount64(p.branch.bytes[1]) != 1 {
		t.Errorf("the label is %q, want /sam, and e next", p.branch.label)
	}
	checkPaths(t, &p, "", true)
	set("/sam", 0, false) // and joins it again
	if p.branch.label != "/same" {
		t.Errorf("the label is %q, want /same", p.branch.label)
	}
	for n := range 3 * few {
		set("/same", n, false)
		checkPaths(t, &p, "", true)
	}
	if !p.empty() {
		t.Errorf("%d are left", p.size())
	}
}

// TestManyPathsOfAHostAgreeWithNaiveTwin grows a host over all thresholds, and shrinks it
// to nothing; old tables must stay what they were.
func TestManyPathsOfAHostAgreeWithNaiveTwin(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 3))
	var pieces []string
	text := func() string {
		b := "/"
		for range r.IntN(5) {
			b += pieces[r.IntN(len(pieces))]
		}
		return b
	}
	hosts := [][]string{nil, {"a.example"}, {"*.example", "*example"}, {"*.samples"}, {"a.example", "*"}, {"*.sample", "*.b.example"}}
	for _, router := range []Router{HostURI, URI} {
		tab := New[string](router)
		var live []*Rule[string]
		most := 0
		var in hamt.Edit
		pieces = nil
		pinned := tab // before the edit, if there is one
		for step := range 400 {
			if step%100 == 0 { // what comes late splits labels
				pieces = append(pieces, [][]string{{"/longer", "a"}, {"/longest"}, {"/", "\xff"}, {"b"}}[step/100]...)
			}
			if r.IntN(8) == 0 {
				in, pinned = []hamt.Edit{0, hamt.Begin()}[r.IntN(2)], tab
			}
			var was, next *Rule[string]
			grow := step < 250
			if len(live) > 0 && (!grow || r.IntN(2) == 0) {
				n := r.IntN(len(live))
				was = live[n]
				live = slices.Delete(live, n, n+1)
			}
			if grow || r.IntN(4) == 0 {
				next = &Rule[string]{ID: fmt.Sprint(step), Hosts: hosts[r.IntN(len(hosts))], Paths: []string{text(), text() + "*"}, Age: int64(step), Priority: int64(r.IntN(2))}
				if r.IntN(3) == 0 {
					next.Methods = []string{"POST", "BREW"}
				}
				live = append(live, next)
			}
			before, path := tab, text()
			if in != 0 {
				before = pinned
			}
			ask := Query{Method: []string{"GET", "POST", "BREW", "BREWED"}[r.IntN(4)], Host: askHosts[r.IntN(len(askHosts))], Path: path, Vars: noVars{}}
			then := contentOf(before)
			var err error
			if tab, err = tab.ReplaceIn(in, was, next); err != nil {
				t.Fatal(err)
			}
			most = max(most, checkTable(t, tab))
			got := "-"
			if m, _ := tab.Match(&ask); m != nil {
				got = m.ID
			}
			if want := naive(router, live, &ask); got != want {
				t.Fatalf("seed %d, %s, step %d: %s %s%s = %s, want %s", seed, router, step, ask.Method, ask.Host, path, got, want)
			}
			checkTable(t, before)
			if now := contentOf(before); !slices.Equal(now, then) {
				t.Fatalf("seed %d, %s, step %d: a change changes what was there before its edit", seed, router, step)
			}
		}
		if most < 5 {
			t.Errorf("seed %d: at most %d branches", seed, most)
		}
		for _, l := range live {
			tab, _ = tab.ReplaceIn(in, l, nil)
			checkTable(t, tab)
		}
		checkTable(t, pinned)
		if tab != New[string](router) {
			t.Errorf("seed %d: without its rules the table is %+v", seed, tab)
		}
	}
}

func TestAnEditChangesInPlaceWhatItHasMade(t *testing.T) {
	rules := func(of string) (out []*Rule[string]) {
		for i := range 2000 {
			out = append(out, &Rule[string]{ID: fmt.Sprint(of, i), Hosts: []string{fmt.Sprintf("h%d.example", i/1000)}, Paths: []string{fmt.Sprintf("/%d/%d/*", i%10, i)}})
		}
		return out
	}
	old, next := rules("old"), rules("next")
	replaced := func(in hamt.Edit) (tab Table[string]) {
		var err error
		for i := range old {
			if tab, err = tab.ReplaceIn(in, nil, old[i]); err != nil {
				t.Fatal(err)
			}
		}
		for i := range old {
			if tab, err = tab.ReplaceIn(in, old[i], next[i]); err != nil {
				t.Fatal(err)
			}
		}
		return tab
	}
	whole := testing.AllocsPerRun(1, func() { replaced(0) })
	shared := testing.AllocsPerRun(1, func() { replaced(hamt.Begin()) })
	if shared > whole/2 {
		t.Errorf("an edit allocates %v times, without one it is %v", shared, whole)
	}
	tab := replaced(hamt.Begin())
	checkTable(t, tab)
	for i := range next {
		if got := ask(tab, "GET", next[i].Hosts[0], next[i].Paths[0]); got != next[i].ID {
			t.Fatalf("%s%s = %s, want %s", next[i].Hosts[0], next[i].Paths[0], got, next[i].ID)
		}
	}
}
