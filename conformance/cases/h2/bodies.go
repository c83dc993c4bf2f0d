package h2

import (
	"context"
	"fmt"
	"sync"

	"github.com/unilb/unilb/conformance/cases/framed"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/echo"
)

// bodyBytes is the length of bodies: several times what either side may send before
// the other opens its window.
const bodyBytes = 300 << 10

// Catches a gateway that forgets what it could not send at once, that never opens its
// windows again, or that mixes the bodies of streams.
var bodies = spec.Case{
	ID: "H2-BODIES", Level: spec.Must, Needs: []spec.Feature{spec.HTTP2}, Env: []spec.Capability{spec.TLS},
	Title:  "Bodies of several windows pass both ways over three streams of a connection at the same time and arrive unchanged, with a content-length and without.",
	Refs:   []string{"RFC 9113 5.2", "RFC 9113 6.9"},
	After:  []string{"H2-STREAMS-OWN"},
	Played: 1,
	Run: func(ctx context.Context, t *spec.T) {
		place(ctx, t, echoed)
		c := dial(ctx, t, framed.Options{})
		c.Settled(ctx) // or its answers do not come
		var wg sync.WaitGroup
		for i := range 3 {
			body := echo.Pattern(bodyBytes + i)
			head := post(t, fmt.Sprintf("/%d", i))
			if i > 0 {
				head = append(head, framed.F("content-length", fmt.Sprint(len(body))))
			}
			s := c.Send(head, false)
			wg.Go(func() {
				sent := s.Data(ctx, body, true)
				t.Check(sent, "%s: body %d: its windows do not open: %s", gateway(t).Ref, i, c)
				intact(t, s.Answer(ctx), body, fmt.Sprintf("body %d", i))
			})
		}
		wg.Wait()
		correct(t, c)
	},
}
