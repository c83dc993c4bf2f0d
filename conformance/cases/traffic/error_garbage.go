package traffic

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/echo"
	"github.com/unilb/unilb/sim/traffic"
)

// Catches a gateway that passes on, as an answer of HTTP/0.9 perhaps, whatever a
// broken target says.
var errorGarbage = spec.Case{
	ID: "ERR-GARBAGE", Level: spec.Should, Needs: []spec.Feature{spec.UpstreamRetries},
	Title:    "A target that answers with something that is not HTTP makes a 502 of the gateway, and nothing of what it said reaches the client.",
	Refs:     []string{"RFC 9110 15.6.3", "RFC 9112 2.2"},
	Objects:  oneTarget,
	Backends: 1,
	Run: func(ctx context.Context, t *spec.T) {
		s := ask.Session(t, t.Env().Gateways()[0].Data, traffic.Options{Conns: traffic.ConnPolicy{Keep: 1}, Timeout: answerBound})
		for _, method := range []string{"GET", "POST"} {
			for _, size := range []string{"20", "100000"} {
				r := s.Do(ctx, traffic.Request{Method: method, Host: t.Host()}.With(echo.HeaderGarbage, size))
				t.Check(own(r, 502), "%s, %s bytes of garbage: got %s, want the gateway's 502 (op %s)", method, size, ask.Said(r), r.Op.ID)
			}
		}
	},
}
