package traffic

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/check"
	"github.com/unilb/unilb/sim/history"
	"github.com/unilb/unilb/sim/traffic"
	"github.com/unilb/unilb/topology"
)

// weightAlpha is the probability with which a gateway that picks by weight, at
// random, is called wrong by mistake. Round robin is smoother than chance and
// practically never is.
const weightAlpha = 1e-6

// Catches a gateway that ignores weights, sends to a target of weight 0, or
// starts its round again with every connection.
var lbWeighted = spec.Case{
	ID: "LB-WEIGHTED", Level: spec.Must, Needs: []spec.Feature{spec.UpstreamWeights},
	Title: "Requests spread over targets as their weights say (3:1:0; chi-square, alpha 1e-6), on kept and on fresh connections.",
	Refs:  []string{"APISIX 3.18 upstream type roundrobin, weight 0"},
	Objects: `
-- upstreams/{{.ID}} --
{"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 3, "{{index .Backends 1}}": 1, "{{index .Backends 2}}": 0}}
-- services/{{.ID}} --
{"upstream_id": "{{.ID}}"}
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "service_id": "{{.ID}}"}
`,
	Backends: 3,
	Run: func(ctx context.Context, t *spec.T) {
		weights := map[topology.Ref]int{t.Backend(0).Ref: 3, t.Backend(1).Ref: 1, t.Backend(2).Ref: 0}
		for _, gw := range t.Env().Gateways() {
			for kind, conns := range map[string]traffic.ConnPolicy{"kept": {Keep: 1}, "fresh": {}} {
				h := &history.History{}
				s := ask.Session(t, gw.Data, traffic.Options{Conns: conns})
				for range 200 {
					r := s.Do(ctx, traffic.Request{Host: t.Host()})
					if r.Backend() == "" {
						t.Fatalf("%s: got %s, want an answer of a backend (op %s)", gw.Ref, ask.Said(r), r.Op.ID)
					}
					h.Ops = append(h.Ops, r.Op)
				}
				t.Logf("%s, %s connections", gw.Ref, kind)
				t.Verdicts(check.Weighted(weightAlpha, weights).Check(h, check.Facts{}))
			}
		}
	},
}
