package corpus

import (
	"bytes"
	"testing"
)

func TestRoutesAreTheSameEachTimeAndDiffer(t *testing.T) {
	const n = 4000
	ids := map[string]bool{}
	var bytesOfAll, conditions, inline int
	for i := range n {
		a, b := Corpus{Seed: 1}.Route(i), Corpus{Seed: 1}.Route(i)
		text := Stored(a.ID, a.Object)
		if !bytes.Equal(text, Stored(b.ID, b.Object)) {
			t.Fatalf("route %d is not the same twice: %s", i, text)
		}
		ids[a.ID] = true
		bytesOfAll += len(text)
		if a.Object["vars"] != nil {
			conditions++
		}
		if a.Object["upstream"] != nil {
			inline++
		}
	}
	if len(ids) != n {
		t.Errorf("%d ids of %d routes", len(ids), n)
	}
	if mean := bytesOfAll / n; mean < 350 || mean > 700 {
		t.Errorf("a route has %d bytes, want those of a usual one", mean)
	}
	if conditions < n/4 || conditions > n/2 || inline < n*4/10 || inline > n*6/10 {
		t.Errorf("of %d routes %d have conditions and %d an upstream of their own", n, conditions, inline)
	}
}

func TestRoutesNameUpstreamsThatExist(t *testing.T) {
	c := Corpus{Seed: 7}
	ids := map[string]bool{}
	for i := range Upstreams {
		id, _ := c.Upstream(i)
		ids[id] = true
	}
	for i := range 1000 {
		if id, ok := c.Route(i).Object["upstream_id"].(string); ok && !ids[id] {
			t.Errorf("route %d names %s", i, id)
		}
	}
}
