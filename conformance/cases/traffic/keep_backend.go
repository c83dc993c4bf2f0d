package traffic

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/traffic"
)

// Catches a gateway that connects to its target for every request: under load it
// runs out of ports, and every request pays a handshake.
var keepBackend = spec.Case{
	ID: "KEEP-BACKEND", Level: spec.Must, Needs: []spec.Feature{spec.ProxyKeepalive},
	Title:    "Sixty requests in a row, each on a connection of its own from the client, need at most twenty connections to the backend.",
	Refs:     []string{"APISIX 3.18 upstream.keepalive_pool (320 connections for each worker)", "RFC 9112 9.3"},
	Objects:  oneTarget,
	Backends: 1,
	Run: func(ctx context.Context, t *spec.T) {
		const requests, bound = 60, 20 // a gateway may have several workers with connections of their own
		for _, gw := range t.Env().Gateways() {
			s := ask.Session(t, gw.Data, traffic.Options{})
			from := map[string]bool{}
			for i := range requests {
				r := s.Do(ctx, traffic.Request{Method: []string{"GET", "POST"}[i%2], Host: t.Host()})
				from[ask.Seen(t, r).From] = true
			}
			t.Check(len(from) <= bound, "%s: the backend saw %d connections for %d requests, want at most %d", gw.Ref, len(from), requests, bound)
			t.Logf("%s: %d connections for %d requests", gw.Ref, len(from), requests)
		}
	},
}
