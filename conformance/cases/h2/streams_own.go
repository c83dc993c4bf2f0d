package h2

import (
	"context"
	"fmt"
	"time"

	"github.com/unilb/unilb/conformance/cases/framed"
	"github.com/unilb/unilb/conformance/cases/raw"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/history"
)

const (
	together = 40 // requests that are sent in one piece
	atWork   = 8  // requests that are to be at the backend at the same time
)

// Catches a gateway that mixes up whose answer is whose, and one that carries the
// streams of a connection one after another.
var streamsOwn = spec.Case{
	ID: "H2-STREAMS-OWN", Level: spec.Must, Needs: []spec.Feature{spec.HTTP2}, Env: []spec.Capability{spec.TLS},
	Title:   fmt.Sprintf("Of %d requests that come over one connection of HTTP/2 at once each gets its own answer, whole, in whatever order they end, and %d are at work at the same time.", together, atWork),
	Refs:    []string{"RFC 9113 5", "RFC 9113 8.1"},
	Played:  1,
	Timeout: time.Minute,
	Run: func(ctx context.Context, t *spec.T) {
		came, open := make(chan string, atWork), make(chan struct{})
		place(ctx, t, func(b *raw.Backend, r raw.Request) raw.Answer {
			a := b.Echo(r)
			if pathOf(r) != r.Target { // held
				came <- r.Target
				a.Wait = open
			}
			return a
		})
		c := dial(ctx, t, framed.Options{})
		c.Settled(ctx) // or its answers do not come
		all := heads(t, min(together, c.Streams()), "/own/%d")
		for i, s := range c.SendAll(all...) {
			own(t, s.Answer(ctx), all[i][3].Value, "many at once")
		}
		held := heads(t, atWork, "/held?n=%d")
		streams := c.SendAll(held...)
		n := arrived(came, atWork)
		t.Check(n == atWork, "%s: of %d requests of a connection %d are at work at the same time", gateway(t).Ref, atWork, n)
		close(open)
		for i, s := range streams {
			own(t, s.Answer(ctx), held[i][3].Value, "held together")
		}
		correct(t, c)
	},
}

// arrived waits for so many requests, for Patience at most, and returns how many came.
func arrived(came <-chan string, most int) int {
	alarm := time.NewTimer(framed.Patience)
	defer alarm.Stop()
	for n := range most {
		select {
		case <-came:
		case <-alarm.C:
			return n
		}
	}
	return most
}

// heads are so many GET.
func heads(t *spec.T, n int, path string) [][]history.Field {
	var out [][]history.Field
	for i := range n {
		out = append(out, get(t, fmt.Sprintf(path, i)))
	}
	return out
}
