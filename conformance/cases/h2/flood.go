package h2

import (
	"context"
	"sync"

	"golang.org/x/net/http2"

	"github.com/unilb/unilb/conformance/cases/framed"
	"github.com/unilb/unilb/conformance/spec"
)

// bystanders is how many requests of others are asked for while one client floods.
const bystanders = 10

// flood has a client write, turn by turn, frames that bring nothing forward until the
// gateway has ended the connection, for so many turns at most, while others ask. It
// checks that the gateway does end it, and that the others are served.
func flood(ctx context.Context, t *spec.T, what string, turns int, turn func(*framed.Conn, *http2.Framer, int) error) {
	place(ctx, t, nil)
	c, other := dial(ctx, t, framed.Options{}), dial(ctx, t, framed.Options{})
	own(t, other.Send(get(t, after), true).Answer(ctx), after, "before the flood")
	var wg sync.WaitGroup
	wg.Go(func() {
		for range bystanders {
			own(t, other.Send(get(t, after), true).Answer(ctx), after, "another client, during the flood")
		}
	})
	n := 0
	for ; n < turns && !c.Ended() && ctx.Err() == nil; n++ {
		if c.Write(func(fr *http2.Framer) error { return turn(c, fr, n) }) != nil {
			break // it does not read any more
		}
	}
	wg.Wait()
	if t.Check(c.Ends(ctx), "%s: a client has sent %s %d times, and the connection goes on: %s", gateway(t).Ref, what, n, c) {
		t.Logf("%s: after %d turns: %s", gateway(t).Ref, n, c)
	}
	fences(ctx, t, "after the flood")
	own(t, other.Send(get(t, after), true).Answer(ctx), after, "another client, after the flood")
}
