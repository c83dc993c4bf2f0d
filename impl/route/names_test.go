package route

import (
	"fmt"
	"maps"
	"math/bits"
	"math/rand/v2"
	"testing"
)

func contents(t *testing.T, m names[int]) map[string]int {
	t.Helper()
	got := map[string]int{}
	if m.root != nil {
		m.root.each(func(l *named[int]) { got[l.name] = l.val })
		checkNode(t, m.root)
	}
	if len(got) != m.n {
		t.Fatalf("%d names are counted, want %d", m.n, len(got))
	}
	return got
}

// checkNode tells nodes that have more than they need.
func checkNode(t *testing.T, n *nameNode[int]) {
	t.Helper()
	if bits.OnesCount64(n.leafBits) != len(n.leaves) || bits.OnesCount64(n.subBits) != len(n.subs) || n.leafBits&n.subBits != 0 {
		t.Fatalf("%d leaves at %b, %d subtrees at %b", len(n.leaves), n.leafBits, len(n.subs), n.subBits)
	}
	for _, s := range n.subs {
		if len(s.leaves)+2*len(s.subs) < 2 {
			t.Fatalf("a subtree of %d leaves", len(s.leaves))
		}
		checkNode(t, s)
	}
}

func TestNamesAgreeWithBuiltInMapAndOldVersionsStay(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	type version struct {
		m    names[int]
		want map[string]int
	}
	var m names[int]
	want := map[string]int{}
	var old []version
	for i := range 20000 {
		name := fmt.Sprint("h", r.IntN(3000))
		by := []*owner{nil, new(owner)}[r.IntN(2)] // an owner that has made nothing changes nothing
		if r.IntN(3) == 0 || i > 15000 {
			m = m.del(name, by)
			delete(want, name)
		} else {
			m = m.set(name, i, by)
			want[name] = i
		}
		if i%4000 == 0 {
			old = append(old, version{m, maps.Clone(want)})
		}
	}
	for _, v := range append(old, version{m, want}) {
		if got := contents(t, v.m); !maps.Equal(got, v.want) {
			t.Fatalf("%d names, want %d", len(got), len(v.want))
		}
		for i := range 3000 {
			name := fmt.Sprint("h", i)
			got, val := v.m.get(name), v.want[name]
			if got == nil && val != 0 || got != nil && *got != val {
				t.Fatalf("%s is %v, want %d", name, got, val)
			}
		}
	}
	for name := range want {
		m = m.del(name, nil)
	}
	if m != (names[int]{}) {
		t.Errorf("without its names: %+v", m)
	}
}

func TestAnOwnerChangesItsOwnNodesAndNoOthers(t *testing.T) {
	var m names[int]
	for i := range 500 {
		m = m.set(fmt.Sprint(i), i, nil)
	}
	before := contents(t, m)
	by, mine := new(owner), m
	want := maps.Clone(before)
	for i := range 1000 {
		if name := fmt.Sprint(i); i%3 == 0 {
			mine = mine.del(name, by)
			delete(want, name)
		} else {
			mine = mine.set(name, -i, by)
			want[name] = -i
		}
	}
	if got := contents(t, mine); !maps.Equal(got, want) {
		t.Errorf("the owner has %d names, want %d", len(got), len(want))
	}
	if got := contents(t, m); !maps.Equal(got, before) {
		t.Error("what was there before has changed")
	}
	if n := testing.AllocsPerRun(100, func() { mine = mine.set("1", 7, by) }); n > 0 {
		t.Errorf("a change of the owner's own allocates %v times, want 0", n)
	}
}

func TestNamesOfOneHashAreToldApart(t *testing.T) {
	var m names[int]
	for i := range 100 {
		m = m.set(fmt.Sprint(i), i, nil)
	}
	// Equal hashes do not happen on demand: give the hash of the next name to another.
	hash, l := m.hash("new"), named[int]{name: "other", val: 7}
	l.hash = hash
	m.root, m.n = m.root.set(&l, 0, nil), m.n+1
	if got := m.get("new"); got != nil {
		t.Fatalf("the value of a name with the same hash: %d", *got)
	}
	seed := m.seed
	m = m.set("new", 8, nil)
	if m.seed == seed {
		t.Error("the seed is what it was")
	}
	if got := contents(t, m); len(got) != 102 || got["new"] != 8 || got["other"] != 7 || got["99"] != 99 {
		t.Errorf("%d names, want 102: %v", len(got), got)
	}
}
