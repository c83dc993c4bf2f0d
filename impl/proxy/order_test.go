package proxy

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

func TestOrderTellsWhatTheNextRequestTriesAndMovesNothing(t *testing.T) {
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 3))
	g := newGateway(t)
	g.put("routes/1", `{"uri":"/*","upstream":{"nodes":{"10.0.0.1:80":3,"10.0.0.2:80":2,"10.0.0.3:80":1,"10.0.0.4:80":0}}}`)
	up := g.snap.Route("1").Inline
	for i := range 60 {
		for n := range up.Targets {
			g.bad[n] = r.IntN(4) == 0
		}
		order := g.Order(up)
		if again := g.Order(up); fmt.Sprint(again) != fmt.Sprint(order) {
			t.Fatalf("seed %d: asked twice: %v and %v", seed, order, again)
		}
		g.Do(get("/"))
		want := up.Targets[order[0][0]].Name
		if last := g.log[len(g.log)-1]; !strings.Contains(last, "target="+want+" ") {
			t.Fatalf("seed %d, request %d: got %s, want %s first of %v", seed, i, last, want, order)
		}
	}
}
