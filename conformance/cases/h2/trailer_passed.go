package h2

import (
	"context"

	"github.com/unilb/unilb/conformance/spec"
)

// Shows a gateway that drops trailers, which it may: gRPC says in them whether a call
// went well.
var trailerPassed = spec.Case{
	ID: "H2-TRAILER-PASSED", Level: spec.May, Needs: []spec.Feature{spec.HTTP2, spec.H1Trailers}, Env: []spec.Capability{spec.TLS},
	Title:  "An announced trailer of a request over HTTP/2 arrives at the backend, and one of the answer at the client.",
	Refs:   []string{"RFC 9110 6.5.1", "RFC 9113 8.1"},
	After:  []string{"H2-TRAILER-NOT-MERGED"},
	Played: 1,
	Run: func(ctx context.Context, t *spec.T) {
		q, r := trailed(ctx, t)
		t.Check(q.Trailers.Get("X-Asked") == "1", "%s: the trailer of the request did not arrive: got %v (op %s)", gateway(t).Ref, q.Trailers, r.Op.ID)
		t.Check(r.Trailer.Get("X-Answered") == "1", "%s: the trailer of the answer did not come: got %v (op %s)", gateway(t).Ref, r.Trailer, r.Op.ID)
	},
}
