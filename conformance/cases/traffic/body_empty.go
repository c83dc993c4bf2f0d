package traffic

import (
	"context"
	"slices"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/traffic"
)

// Catches a gateway that makes chunks, or nothing at all, of a body that was
// announced as empty: many servers answer 411 to a POST without a length.
var bodyEmpty = spec.Case{
	ID: "BODY-EMPTY", Level: spec.Should, Needs: []spec.Feature{spec.ProxyBodies},
	Title:    "A POST or PUT with an empty body arrives with Content-Length 0 and without chunks; a GET without a body arrives without either.",
	Refs:     []string{"RFC 9110 8.6", "RFC 9112 6.2"},
	Objects:  oneTarget,
	Backends: 1,
	Run: func(ctx context.Context, t *spec.T) {
		s := one(t)
		for method, want := range map[string][]string{"POST": {"0"}, "PUT": {"0"}, "GET": nil, "DELETE": nil} {
			r := s.Do(ctx, traffic.Request{Method: method, Host: t.Host()})
			a := ask.Seen(t, r)
			length, coding := a.Values("Content-Length"), a.Values("Transfer-Encoding")
			t.Check(slices.Equal(length, want) && len(coding) == 0 && a.Seen.BodyLen == 0,
				"%s: the backend saw Content-Length %q and Transfer-Encoding %q, want %q and none (op %s)", method, length, coding, want, r.Op.ID)
		}
	},
}
