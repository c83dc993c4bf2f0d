package traffic

import (
	"context"

	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/traffic"
	"github.com/unilb/unilb/topology"
)

// Catches a gateway that hashes the client's port along with its address: every
// connection of one client meets another target.
var chashClient = spec.Case{
	ID: "CHASH-CLIENT", Level: spec.Must, Needs: []spec.Feature{spec.UpstreamChash},
	Title: "With chash by the variable remote_addr all connections of a client meet one target, the same on every gateway.",
	Refs:  []string{"APISIX 3.18 upstream type chash, hash_on vars, nginx $remote_addr"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "chash", "hash_on": "vars", "key": "remote_addr", ` + chashNodes + `}}
`,
	Backends: 4,
	Run: func(ctx context.Context, t *spec.T) {
		for _, client := range t.Env().Clients() {
			met := map[topology.Ref]int{}
			for _, gw := range t.Env().Gateways() {
				s := traffic.NewSession(client, gw.Data, t.Env().Recorder(), traffic.Options{Stream: t.Name("client")})
				for _, p := range picks(ctx, t, s, 20, traffic.Request{Host: t.Host()}) {
					met[p]++
				}
			}
			t.Check(len(met) == 1, "%s met %v, want one target", client.Ref, met)
		}
	},
}
