package traffic

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/echo"
	"github.com/unilb/unilb/sim/history"
	"github.com/unilb/unilb/sim/traffic"
)

// Catches a gateway that passes its target's end of the connection on: the client
// cannot tell a broken backend from a broken gateway, and retries blindly.
var errorNoAnswer = spec.Case{
	ID: "ERR-NO-ANSWER", Level: spec.Should, Needs: []spec.Feature{spec.UpstreamRetries},
	Title:    "A target that ends the connection instead of answering, by FIN or by RST, makes a 502 of the gateway, for GET and for POST.",
	Refs:     []string{"RFC 9110 15.6.3", "APISIX 3.18: all tries fail, 502"},
	Objects:  oneTarget,
	Backends: 1,
	Run: func(ctx context.Context, t *spec.T) {
		s := one(t)
		for _, end := range []string{echo.HeaderReset, echo.HeaderClose} {
			for _, method := range []string{"GET", "POST"} {
				r := s.Do(ctx, traffic.Request{Method: method, Host: t.Host(), Header: []history.Field{{Name: end, Value: "head"}}})
				t.Check(own(r, 502), "%s, %s: got %s, want the gateway's 502 (op %s)", method, end, ask.Said(r), r.Op.ID)
			}
		}
	},
}
