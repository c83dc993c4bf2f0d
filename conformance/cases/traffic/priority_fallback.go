package traffic

import (
	"context"
	"net/http"
	"net/netip"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/traffic"
)

// Catches a gateway that gives a request up when the targets of the highest priority
// are gone, although others stand by for just that.
var priorityFallback = spec.Case{
	ID: "PRIO-FALLBACK", Level: spec.Must, Needs: []spec.Feature{spec.UpstreamPriority},
	Title:    "When every target of the higher priority refuses the connection the same request goes to one of a lower priority.",
	Refs:     []string{"APISIX 3.18 upstream.nodes.priority"},
	Backends: 1,
	After:    []string{"RETRY-CONNECT-REFUSED"},
	Run: func(ctx context.Context, t *spec.T) {
		routeRanked(ctx, t, ranked{0, []netip.AddrPort{closed(ctx, t), closed(ctx, t)}}, ranked{-1, []netip.AddrPort{t.Backend(0).Addr}})
		for _, gw := range t.Env().Gateways() {
			s := ask.Session(t, gw.Data, traffic.Options{Conns: traffic.ConnPolicy{Keep: 1}})
			for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodGet} {
				r := s.Do(ctx, traffic.Request{Method: method, Host: t.Host()})
				t.Check(r.Backend() == t.Backend(0).Ref && r.Reply.Status == http.StatusOK, "%s: %s: got %s, want 200 from %s (op %s)", gw.Ref, method, ask.Said(r), t.Backend(0).Ref, r.Op.ID)
			}
		}
	},
}
