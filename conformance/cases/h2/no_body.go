package h2

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/framed"
	"github.com/unilb/unilb/conformance/cases/raw"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that waits for a body which never comes, and one that sends a
// body, or an end of it in the wrong place, where there is none.
var noBody = spec.Case{
	ID: "H2-NO-BODY", Level: spec.Must, Needs: []spec.Feature{spec.HTTP2}, Env: []spec.Capability{spec.TLS},
	Title:  "Answers to HEAD, and answers 204 and 304, come whole and without a body over HTTP/2, and with the status that the target gave.",
	Refs:   []string{"RFC 9110 9.3.2", "RFC 9110 15.3.5", "RFC 9110 15.4.5", "RFC 9113 8.1"},
	Played: 1,
	Run: func(ctx context.Context, t *spec.T) {
		place(ctx, t, func(b *raw.Backend, r raw.Request) raw.Answer {
			switch pathOf(r) {
			case "/204":
				return raw.Answer{Bytes: b.Head(r, 204)}
			case "/304":
				return raw.Answer{Bytes: b.Head(r, 304, `ETag: "x"`)}
			case "/304-length":
				return raw.Answer{Bytes: b.Head(r, 304, "Content-Length: 50", `ETag: "x"`)}
			}
			return b.Echo(r)
		})
		c := dial(ctx, t, framed.Options{})
		for _, x := range []struct {
			method, path string
			status       int
		}{{"HEAD", "/head", 200}, {"GET", "/204", 204}, {"GET", "/304", 304}, {"GET", "/304-length", 304}, {"HEAD", "/304", 304}} {
			r := c.Send(framed.Head(x.method, t.Host(), x.path), true).Answer(ctx)
			t.Check(r.Mine() && r.Status == x.status && len(r.Body) == 0, "%s: %s %s: got %s, want %d from the backend without a body (op %s)", gateway(t).Ref, x.method, x.path, r, x.status, r.Op.ID)
			own(t, c.Send(get(t, after), true).Answer(ctx), after, "behind it")
		}
		correct(t, c)
	},
}
