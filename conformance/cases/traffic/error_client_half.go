package traffic

import (
	"context"
	"net/http"
	"time"

	"github.com/unilb/unilb/conformance/spec"
)

// halfPause is how long the answer to a client that has shut down its side takes to
// begin, and to go on: longer than a gateway needs to notice, and shorter than it may
// wait for nothing.
const halfPause = 300 * time.Millisecond

// Catches a gateway that takes whoever has nothing more to say for gone: "printf ... | nc"
// and simple clients of machines end their side with the request, and get no answer.
var errorClientHalf = spec.Case{
	ID: "ERR-CLIENT-HALF", Level: spec.May, Needs: []spec.Feature{spec.ProxyStreaming},
	Title: "A client that shuts down its side after its request gets the whole answer, although that begins, and goes on, 300 ms later.",
	Refs:  []string{"RFC 9293 3.6", "RFC 9112 9.6"},
	Run: func(ctx context.Context, t *spec.T) {
		half := make(chan struct{}, 2) // one of each request
		b := play(ctx, t, func(a *actor) {
			q, ok := a.take()
			if !ok {
				return
			}
			for i, part := range []string{q.head("200 OK", "Content-Length: 9") + "first", "last"} {
				if i == 0 {
					select {
					case <-half:
					case <-ctx.Done():
						return
					}
				}
				select {
				case <-time.After(halfPause):
					if !a.say(part) {
						return
					}
				case <-ctx.Done():
					return
				}
			}
		})
		routeTo(ctx, t, "", b.Addr)
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			var lines []string
			if method == http.MethodPost {
				lines = []string{"Content-Length: 4"}
			}
			w := begin(ctx, t, method, lines...)
			if method == http.MethodPost {
				w.send("body")
			}
			end, ok := w.Conn.(interface{ CloseWrite() error })
			if !ok {
				t.Brokenf("connections of this client have no half-close")
			}
			if err := end.CloseWrite(); err != nil {
				t.Fatalf("%s: shut down our side: %v (op %s)", method, err, w.op.ID)
			}
			half <- struct{}{}
			_, fields := w.answer()
			if err := expect(w.body(fields), "firstlast"); err != nil {
				t.Check(false, "%s: the answer: %v (op %s)", method, err, w.op.ID)
			}
		}
	},
}
