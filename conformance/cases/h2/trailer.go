package h2

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/framed"
	"github.com/unilb/unilb/conformance/cases/raw"
	"github.com/unilb/unilb/conformance/spec"
)

// trailed sends a request with a trailer to a backend that answers with one, and
// returns what came on both sides.
func trailed(ctx context.Context, t *spec.T) (raw.Request, framed.Result) {
	b := place(ctx, t, func(b *raw.Backend, r raw.Request) raw.Answer {
		return b.With(r, "5\r\nhello\r\n0\r\nX-Answered: 1\r\n\r\n", "Trailer: X-Answered", "Transfer-Encoding: chunked")
	})
	c := dial(ctx, t, framed.Options{})
	s := c.Send(post(t, attacked, framed.F("te", "trailers"), framed.F("trailer", "x-asked")), false)
	s.Data(ctx, []byte("hello"), false) // a window of so few bytes shows below
	s.Trailers(framed.F("x-asked", "1"))
	r := s.Answer(ctx)
	seen := b.Take()
	if !r.Served() || len(seen.Requests) != 1 || len(seen.Doubts) > 0 {
		t.Fatalf("%s: a request with a trailer: got %s, and the backend saw %s, want 200 from the backend (op %s)", gateway(t).Ref, r, described(seen), r.Op.ID)
	}
	t.Check(string(r.Body) == "hello" && string(seen.Requests[0].Body) == "hello", "%s: bodies with trailers: the backend got %q, the client %q, want hello (op %s)", gateway(t).Ref, seen.Requests[0].Body, r.Body, r.Op.ID)
	correct(t, c)
	return seen.Requests[0], r
}
