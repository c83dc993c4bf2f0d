package traffic

import (
	"context"
	"time"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/traffic"
)

// Catches a gateway that lets clients wait, or closes on them, when nobody is left
// to serve: requests pile up and take down what is well.
var errorAllDown = spec.Case{
	ID: "ERR-ALL-DOWN", Level: spec.Must, Needs: []spec.Feature{spec.UpstreamRetries},
	Title: "With every target refusing connections each request gets the gateway's 502 or 503, within 2 s.",
	Refs:  []string{"RFC 9110 15.6.3", "RFC 9110 15.6.4", "APISIX 3.18: all tries fail, 502"},
	Run: func(ctx context.Context, t *spec.T) {
		const bound = 2 * time.Second // for any machine; a refusal takes no time at all
		routeTo(ctx, t, "", closed(ctx, t), closed(ctx, t), closed(ctx, t))
		for _, gw := range t.Env().Gateways() {
			s := ask.Session(t, gw.Data, traffic.Options{Conns: traffic.ConnPolicy{Keep: 1}})
			for _, method := range []string{"GET", "POST", "GET", "GET"} {
				r := s.Do(ctx, traffic.Request{Method: method, Host: t.Host()})
				t.Check(own(r, 502, 503), "%s: %s: got %s, want the gateway's 502 or 503 (op %s)", gw.Ref, method, ask.Said(r), r.Op.ID)
				t.Check(r.Op.Latency() < bound, "%s: %s: took %s, want less than %s (op %s)", gw.Ref, method, r.Op.Latency(), bound, r.Op.ID)
			}
		}
	},
}
