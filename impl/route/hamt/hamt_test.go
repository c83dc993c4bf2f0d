package hamt

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"testing"
)

// version is a map, and what it must hold for ever.
type version struct {
	m    Map[int, int]
	want map[int]int
}

func TestMapAgreesWithBuiltInMapAndOldVersionsStay(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	var now version
	now.want = map[int]int{}
	var old []version
	for i := range 20000 {
		now.step(0, r, i, 3000)
		if i%4000 == 0 {
			old = append(old, version{now.m, maps.Clone(now.want)})
		}
	}
	for _, v := range append(old, now) {
		check(t, v.m, v.want)
	}
}

// step makes one change.
func (v *version) step(e Edit, r *rand.Rand, i, keys int) {
	k := r.IntN(keys)
	if r.IntN(3) == 0 {
		v.m = v.m.DeleteIn(e, k)
		delete(v.want, k)
	} else {
		v.m = v.m.SetIn(e, k, i)
		v.want[k] = i
	}
}

// Lines of changes leave one map, some by edits, and none of them sees another's.
func TestAnEditChangesNoOtherVersion(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 2))
	all := []version{{want: map[int]int{}}}
	for round := range 60 {
		from := all[r.IntN(len(all))]
		next := version{from.m, maps.Clone(from.want)}
		var e Edit
		if round%4 > 0 {
			e = Begin()
		}
		keys := 1 + r.IntN(2000)
		for i := range r.IntN(600) {
			next.step(e, r, 1000*round+i, keys)
		}
		all = append(all, next)
	}
	for _, v := range all {
		check(t, v.m, v.want)
	}
}

func FuzzEdits(f *testing.F) {
	f.Add([]byte("abcABC\x00aa"))
	f.Fuzz(func(t *testing.T, steps []byte) {
		all := []version{{want: map[int]int{}}}
		var e Edit
		now := version{want: map[int]int{}}
		for i, b := range steps {
			switch k := int(b & 63); {
			case b == 0: // who looks at a map ends the edit
				all = append(all, version{now.m, maps.Clone(now.want)})
				e = Begin()
			case b&64 == 0:
				now.m = now.m.SetIn(e, k, i)
				now.want[k] = i
			default:
				now.m = now.m.DeleteIn(e, k)
				delete(now.want, k)
			}
		}
		for _, v := range append(all, now) {
			check(t, v.m, v.want)
		}
	})
}

func check(t *testing.T, m Map[int, int], want map[int]int) {
	t.Helper()
	if m.Len() != len(want) {
		t.Fatalf("Len = %d, want %d", m.Len(), len(want))
	}
	for k, v := range want {
		if got, ok := m.Get(k); !ok || got != v {
			t.Fatalf("Get(%d) = %d %v, want %d", k, got, ok, v)
		}
	}
	if got := maps.Collect(m.All()); !maps.Equal(got, want) {
		t.Fatalf("All yields %d keys, want %d", len(got), len(want))
	}
	if !m.root.tidy(true) {
		t.Fatal("a leaf lies deeper than it has to")
	}
}

// tidy tells whether the shape follows from the keys alone, whatever way led to it.
func (n *node[K, V]) tidy(root bool) bool {
	if n == nil {
		return root
	}
	if !root && n.below == 0 && len(n.leaves) < 2 {
		return false
	}
	for _, kid := range n.nodes {
		if !kid.tidy(false) {
			return false
		}
	}
	return n.here&n.below == 0
}

func TestKeysOfEqualHashesAreToldApartBelow(t *testing.T) {
	// Equal hashes do not happen on demand: begin where the last part of an equal one is.
	last := place{hash: 7, level: levels - 1}
	for _, e := range []Edit{0, Begin()} {
		var m Map[string, int]
		m = m.SetIn(e, "", 0)
		m.root = &node[string, int]{edit: e}
		want := map[string]int{}
		for i := range 100 {
			k, added := fmt.Sprint(i), false
			m.root = m.set(e, m.root, last, leaf[string, int]{k, i}, &added)
			if want[k] = i; !added {
				t.Fatalf("key %s not counted", k)
			}
		}
		added := false
		m.root = m.set(e, m.root, last, leaf[string, int]{"7", -1}, &added)
		if want["7"] = -1; added {
			t.Error("replacing 7 counted as an addition")
		}
		for i := range 90 {
			m.root = m.del(e, m.root, last, fmt.Sprint(i))
			delete(want, fmt.Sprint(i))
		}
		if got := maps.Collect(m.All()); !maps.Equal(got, want) {
			t.Errorf("edit %d: got %v, want %v", e, got, want)
		}
	}
}

func TestZeroMapIsEmpty(t *testing.T) {
	var m Map[string, int]
	if _, ok := m.Get("x"); ok || m.Delete("x").Len() != 0 {
		t.Error("zero map is not empty")
	}
	for range m.All() {
		t.Error("zero map has a key")
	}
}
