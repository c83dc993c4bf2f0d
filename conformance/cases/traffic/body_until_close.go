package traffic

import (
	"context"
	"net/http"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/echo"
	"github.com/unilb/unilb/sim/traffic"
)

// Catches a gateway that takes an answer without a length for one without a body,
// or cuts it where its buffer ends.
var bodyUntilClose = spec.Case{
	ID: "BODY-UNTIL-CLOSE", Level: spec.Must, Needs: []spec.Feature{spec.ProxyBodies},
	Title: "An answer whose length is told only by the end of the backend's connection arrives complete, from HTTP/1.1 and from HTTP/1.0.",
	Refs:  []string{"RFC 9112 6.3", "RFC 9112 9.6"},
	Run: func(ctx context.Context, t *spec.T) {
		body := string(echo.Pattern(200_000))
		b := play(ctx, t, func(a *actor) {
			q, ok := a.take()
			if !ok {
				return
			}
			head := q.head("200 OK", "Connection: close")
			if q.Target == "/old" {
				head = "HTTP/1.0" + q.head("200 OK")[len("HTTP/1.1"):]
			}
			a.say(head + body)
		})
		routeTo(ctx, t, "", b.Addr)
		s := one(t)
		for _, target := range []string{"/", "/old"} {
			r := s.Do(ctx, traffic.Request{Host: t.Host(), Target: target})
			if r.Reply == nil || r.Reply.Status != http.StatusOK {
				t.Fatalf("%s: got %s, want 200 (op %s)", target, ask.Said(r), r.Op.ID)
			}
			t.Check(string(r.Reply.Body) == body, "%s: got %d bytes, want %d unchanged (op %s)", target, r.Reply.Length, len(body), r.Op.ID)
		}
	},
}
