package traffic

import (
	"context"
	"net/http"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/traffic"
)

// Catches a gateway that tries again although it was told not to.
var retryZero = spec.Case{
	ID: "RETRY-ZERO", Level: spec.Must, Needs: []spec.Feature{spec.UpstreamRetries},
	Title:    "With retries 0 a request whose target refuses the connection gets the gateway's 502, although another target would take it.",
	Refs:     []string{"APISIX 3.18 upstream.retries"},
	Backends: 1,
	After:    []string{"RETRY-CONNECT-REFUSED"},
	Run: func(ctx context.Context, t *spec.T) {
		routeTo(ctx, t, `"retries": 0`, closed(ctx, t), t.Backend(0).Addr)
		for _, gw := range t.Env().Gateways() {
			s := ask.Session(t, gw.Data, traffic.Options{Conns: traffic.ConnPolicy{Keep: 1}})
			refused := 0
			for range 20 {
				r := s.Do(ctx, traffic.Request{Host: t.Host()})
				if own(r, http.StatusBadGateway) {
					refused++
				} else {
					t.Check(r.Backend() == t.Backend(0).Ref, "%s: got %s, want the other target's answer or the gateway's 502 (op %s)", gw.Ref, ask.Said(r), r.Op.ID)
				}
			}
			t.Check(refused > 0, "%s: none of 20 requests got the gateway's 502: those that were refused were sent again", gw.Ref)
		}
	},
}
