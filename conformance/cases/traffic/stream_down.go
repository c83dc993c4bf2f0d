package traffic

import (
	"context"
	"net/http"
	"time"

	"github.com/unilb/unilb/conformance/spec"
)

// streamBound is how long a part of a body may take to pass a gateway. It is a
// bound for any machine, not a figure.
const streamBound = 3 * time.Second

// Catches a gateway that gathers an answer before it passes it on: events and
// progress that a backend tells as they happen come all at the end.
var streamDown = spec.Case{
	ID: "STREAM-DOWN", Level: spec.Must, Needs: []spec.Feature{spec.ProxyStreaming},
	Title: "The first part of an answer reaches the client before the backend writes the last, whether announced, chunked or until the end.",
	Refs:  []string{"RFC 9110 7.6", "RFC 9112 7.1"},
	Run: func(ctx context.Context, t *spec.T) {
		seen := make(chan struct{})
		b := play(ctx, t, func(a *actor) {
			q, ok := a.take()
			if !ok {
				return
			}
			first, last := q.head("200 OK", "Connection: close")+"first", "last"
			switch q.Get("X-Framing") {
			case "announced":
				first = q.head("200 OK", "Content-Length: 9") + "first"
			case "chunked":
				first, last = q.head("200 OK", "Transfer-Encoding: chunked")+"5\r\nfirst\r\n", "4\r\nlast\r\n0\r\n\r\n"
			}
			if !a.say(first) {
				return
			}
			select {
			case <-seen:
				a.say(last)
			case <-ctx.Done():
			}
		})
		routeTo(ctx, t, "", b.Addr)
		for _, framing := range []string{"announced", "chunked", "until the end"} {
			w := begin(ctx, t, http.MethodGet, "X-Framing: "+framing)
			_ = w.SetReadDeadline(time.Now().Add(streamBound)) // fails only on a dead connection
			_, fields := w.answer()
			body := w.body(fields)
			if err := expect(body, "first"); err != nil {
				t.Fatalf("%s: the first part, before the last was written: %v (op %s)", framing, err, w.op.ID)
			}
			select {
			case seen <- struct{}{}:
			case <-ctx.Done():
				t.Fatalf("%s: the backend has ended its answer early", framing)
			}
			if err := expect(body, "last"); err != nil {
				t.Check(false, "%s: the last part: %v (op %s)", framing, err, w.op.ID)
			}
		}
	},
}
