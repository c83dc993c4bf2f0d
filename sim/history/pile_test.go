package history

import (
	"fmt"
	"slices"
	"testing"
)

func TestPileKeepsAllInOrderAndViewsStandStill(t *testing.T) {
	var p pile[int]
	if p.slice() != nil {
		t.Error("an empty pile holds something")
	}
	views := map[int]pile[int]{}
	const n = 3*pileBlock + 5
	for i := range n {
		if i%1000 == 0 || i%pileBlock < 2 {
			views[i] = p.view()
		}
		p.add(i)
	}
	views[n] = p.view()
	for _, skip := range []int{0, 1, pileBlock - 1, pileBlock, pileBlock + 1, 3 * pileBlock, n - 1, n, n + 1} {
		got := p.after(skip)
		if len(got) != max(0, n-skip) || len(got) > 0 && (got[0] != skip || got[len(got)-1] != n-1) {
			t.Errorf("after %d: got %d records", skip, len(got))
		}
	}
	for want, v := range views {
		got := v.slice()
		if len(got) != want || v.len() != want {
			t.Fatalf("got %d and %d records, want %d", len(got), v.len(), want)
		}
		for i, r := range got {
			if r != i {
				t.Fatalf("record %d of %d is %d", i, want, r)
			}
		}
	}
}

func TestReservedNamesAreUniqueAndRepeatable(t *testing.T) {
	wanted := []string{"b.2", "a", "a", "a.2", "a", "b", "b", "a.2", ""}
	var first []string
	for range 2 {
		r := NewRecorder(NewClock())
		var got []string
		for i, w := range wanted {
			name, n := r.Reserve(w)
			if slices.Contains(got, name) || n != uint64(i+1) {
				t.Errorf("%q: got %q, number %d after %q", w, name, n, got)
			}
			got = append(got, name)
		}
		if first != nil && !slices.Equal(first, got) {
			t.Errorf("got %q, then %q", first, got)
		}
		first = got
	}
	if got, want := fmt.Sprint(first), "[b.2 a a.2 a.2.2 a.3 b b.3 a.2.3 ]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
