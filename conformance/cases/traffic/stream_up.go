package traffic

import (
	"context"
	"net/http"
	"time"

	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that gathers a request before it passes it on: an upload needs
// its disk, and a backend cannot refuse what it has not seen begin.
var streamUp = spec.Case{
	ID: "STREAM-UP", Level: spec.Must, Needs: []spec.Feature{spec.ProxyStreaming},
	Title: "The first part of a request's body reaches the backend before the client sends the last, announced or chunked.",
	Refs:  []string{"RFC 9110 7.6", "RFC 9112 7.1"},
	Run: func(ctx context.Context, t *spec.T) {
		arrived := make(chan error)
		b := play(ctx, t, func(a *actor) {
			q, ok := a.hear()
			if !ok {
				return
			}
			body := a.body(q)
			for _, part := range []string{"first", "last"} {
				select {
				case arrived <- expect(body, part):
				case <-ctx.Done():
					return
				}
			}
			a.say(q.head("200 OK", "Content-Length: 4", "Connection: close") + "done")
		})
		routeTo(ctx, t, "", b.Addr)
		for framing, parts := range map[string][2]string{
			"Content-Length: 9":          {"first", "last"},
			"Transfer-Encoding: chunked": {"5\r\nfirst\r\n", "4\r\nlast\r\n0\r\n\r\n"},
		} {
			w := begin(ctx, t, http.MethodPost, framing)
			for _, part := range parts {
				w.send(part)
				select {
				case err := <-arrived:
					t.Check(err == nil, "%s: the backend: %v (op %s)", framing, err, w.op.ID)
				case <-time.After(streamBound):
					t.Fatalf("%s: the backend has not got %q %s after it was sent (op %s)", framing, part, streamBound, w.op.ID)
				}
			}
			status, fields := w.answer()
			t.Check(status == http.StatusOK && expect(w.body(fields), "done") == nil, "%s: got %d, want 200 (op %s)", framing, status, w.op.ID)
		}
	},
}
