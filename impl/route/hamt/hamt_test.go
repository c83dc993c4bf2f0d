package hamt

import (
	"maps"
	"math/rand/v2"
	"testing"
)

func TestMapAgreesWithBuiltInMapAndOldVersionsStay(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	type version struct {
		m    Map[int, int]
		want map[int]int
	}
	var m Map[int, int]
	want := map[int]int{}
	var old []version
	for i := range 20000 {
		k := r.IntN(3000)
		if r.IntN(3) == 0 {
			m = m.Delete(k)
			delete(want, k)
		} else {
			m = m.Set(k, i)
			want[k] = i
		}
		if i%4000 == 0 {
			old = append(old, version{m, maps.Clone(want)})
		}
	}
	for _, v := range append(old, version{m, want}) {
		check(t, v.m, v.want)
	}
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
}

func TestChainOfEqualHashesKeepsAllKeys(t *testing.T) {
	// Equal hashes do not happen on demand, so build the chain by hand.
	var n *node[string, int]
	n = &node[string, int]{}
	hash := func(string) uint64 { return 7 }
	added := false
	for i, k := range []string{"a", "b", "c"} {
		n = n.set(hash, 7, &leaf[string, int]{key: k, val: i}, 0, &added)
		if !added {
			t.Fatalf("key %s not counted", k)
		}
	}
	n = n.set(hash, 7, &leaf[string, int]{key: "b", val: 9}, 0, &added)
	if added {
		t.Error("replacing b counted as an addition")
	}
	n = n.del(7, "a", 0)
	got := map[string]int{}
	n.each(func(k string, v int) bool { got[k] = v; return true })
	if !maps.Equal(got, map[string]int{"b": 9, "c": 2}) {
		t.Errorf("chain holds %v", got)
	}
}

func TestZeroMapIsEmpty(t *testing.T) {
	var m Map[string, int]
	if _, ok := m.Get("x"); ok || m.Delete("x").Len() != 0 {
		t.Error("zero map is not empty")
	}
}
