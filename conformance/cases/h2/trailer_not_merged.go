package h2

import (
	"context"

	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that makes fields of trailers: what was decided by the head is
// changed by what comes behind the body.
var trailerNotMerged = spec.Case{
	ID: "H2-TRAILER-NOT-MERGED", Level: spec.Must, Needs: []spec.Feature{spec.HTTP2}, Env: []spec.Capability{spec.TLS},
	Title:  "A trailer of a request over HTTP/2, and one of its answer, come as trailers or not at all, never as fields of the head, and the bodies come whole.",
	Refs:   []string{"RFC 9110 6.5.1", "RFC 9113 8.1"},
	Played: 1,
	Run: func(ctx context.Context, t *spec.T) {
		q, r := trailed(ctx, t)
		t.Check(len(q.Fields.Values("X-Asked")) == 0, "%s: the trailer of the request arrived as a field (op %s)", gateway(t).Ref, r.Op.ID)
		t.Check(len(r.Header.Values("X-Answered")) == 0, "%s: the trailer of the answer came as a field (op %s)", gateway(t).Ref, r.Op.ID)
	},
}
