package route

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/unilb/unilb/impl/route/hamt"
)

// contents judges the shape of names, and returns them.
func contents(t *testing.T, m names[int]) map[string]int {
	t.Helper()
	got := map[string]int{}
	for l := range m.all() {
		got[l.name] = l.val
	}
	switch pages := m.pages; {
	case len(got) != m.n:
		t.Fatalf("%d names are counted, want %d", m.n, len(got))
	case pages == 0 && m.n > fewNames, pages == 1 && m.n <= fewNames/2, pages > 1 && m.n < pageLists*pages, pages > 0 && m.n > mostOfList*pageLists*pages:
		t.Fatalf("%d pages for %d names", pages, m.n)
	case pages > 0 && m.few != nil:
		t.Fatalf("%d pages, and %d names in none", pages, len(m.few))
	case len(m.chunks) != (pages+chunkPages-1)/chunkPages:
		t.Fatalf("%d chunks of %d pages", len(m.chunks), pages)
	}
	for i := m.pages; i < len(m.chunks)*chunkPages; i++ {
		if m.at(i) != nil {
			t.Fatalf("page %d of %d", i, m.pages)
		}
	}
	return got
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
	var in hamt.Edit
	most := 0
	for i := range 8000 {
		if r.IntN(20) == 0 {
			in = []hamt.Edit{0, hamt.Begin()}[r.IntN(2)]
			if i%8 == 0 || m.n < 30 {
				old = append(old, version{m, maps.Clone(want)})
			}
		}
		name := fmt.Sprint("h", r.IntN(1500))
		if r.IntN(4) == 0 || i > 5000 {
			m = m.del(in, name)
			delete(want, name)
		} else {
			m = m.set(in, name, i)
			want[name] = i
		}
		most = max(most, m.pages)
	}
	if most < 4 {
		t.Errorf("seed %d: at most %d pages", seed, most)
	}
	for _, v := range append(old, version{m, want}) {
		if got := contents(t, v.m); !maps.Equal(got, v.want) {
			t.Fatalf("seed %d: %d names, want %d", seed, len(got), len(v.want))
		}
		for i := range 1500 {
			name := fmt.Sprint("h", i)
			got := v.m.get(name)
			if val, there := v.want[name]; there != (got != nil) || there && *got != val {
				t.Fatalf("seed %d: %s is %v, want %d %v", seed, name, got, val, there)
			}
		}
	}
	for name := range want {
		m = m.del(in, name)
		contents(t, m)
	}
	if m.n != 0 || m.pages > 0 || m.chunks != nil || m.few != nil {
		t.Errorf("seed %d: without its names: %+v", seed, m)
	}
}

func TestNamesOfOneHashAreToldApart(t *testing.T) {
	var m names[int]
	m = m.set(0, "there", 1)
	m.few[0].name = "other" // equal hashes do not happen on demand
	if got := m.get("there"); got != nil {
		t.Errorf("the value of a name with the same hash: %d", *got)
	}
	if m = m.set(0, "there", 2); m.n != 2 || *m.get("there") != 2 {
		t.Errorf("%d names, want both", m.n)
	}
}

// Of many names more pages than a chunk has.
func TestNamesOfManyChunksComeAndGo(t *testing.T) {
	const n = 2*chunkPages*pageLists*mostOfList + 1000
	name := func(i int) string { return strconv.Itoa(i) }
	var m names[int]
	var half names[int]
	for i := range n {
		in := hamt.Edit(0)
		if i > n/2 {
			in = 1 // which Begin never returns
		}
		if m = m.set(in, name(i), i); i == n/2 {
			half = m
		}
	}
	if m.pages <= 2*chunkPages || len(contents(t, m)) != n {
		t.Errorf("%d pages of %d names, want more than %d of %d", m.pages, m.n, 2*chunkPages, n)
	}
	full := m
	for i := range n {
		if i%1000 == 0 {
			contents(t, m)
		}
		if got := m.get(name(i)); got == nil || *got != i {
			t.Fatalf("%d leads to %v", i, got)
		}
		m = m.del(hamt.Edit(i%2*2), name(i)) // now and then as a part of an edit
	}
	if m.n != 0 || m.chunks != nil {
		t.Errorf("without its names: %+v", m)
	}
	for i := range n {
		if got := half.get(name(i)); (got != nil) != (i <= n/2) {
			t.Fatalf("%d leads to %v in a copy of before", i, got)
		}
		if full.get(name(i)) == nil {
			t.Fatalf("%d is gone from a copy", i)
		}
	}
}

func TestNameThatSplitsAPagePaysForThatAlone(t *testing.T) {
	cost := func(pages int) float64 {
		var m names[int]
		in := hamt.Begin()
		for i := range mostOfList * pageLists * pages {
			m = m.set(in, strconv.Itoa(i), i)
		}
		return testing.AllocsPerRun(10, func() {
			if more := m.set(0, "one more", 0); more.pages != pages+1 {
				t.Fatalf("%d pages, want one more than %d", more.pages, pages)
			}
		})
	}
	// At most two lists for each of a page, and what leads to them.
	if got := cost(100); got > 2*pageLists+20 {
		t.Errorf("%v allocations at 100 pages", got)
	}
}

// What came before may be a part of something large.
func TestANameHasTheTextThatCameLast(t *testing.T) {
	const large = 64 << 20 // bytes
	var m names[int]
	for i := range 10 * fewNames {
		m = m.set(0, fmt.Sprint("other", i), i)
	}
	m = m.set(0, strings.Repeat("a.example", large/9)[:9], 1).set(0, "a.example", 2)
	var heap runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&heap)
	if heap.HeapAlloc > large/2 {
		t.Errorf("%d MiB are in use", heap.HeapAlloc>>20)
	}
	runtime.KeepAlive(m.chunks)
}
