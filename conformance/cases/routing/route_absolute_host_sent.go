package routing

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/traffic"
)

// Catches a gateway that routes by the target and then tells the backend
// another host.
var routeAbsoluteHostSent = spec.Case{
	ID: "ROUTE-ABSOLUTE-HOST-SENT", Level: spec.Should, Needs: []spec.Feature{spec.RouteHost},
	Title: "When the target is in absolute form the backend sees its host in Host, whatever the Host field said.",
	Refs:  []string{"RFC 9112 3.2.2, a new Host field is generated of the target"},
	After: []string{"ROUTE-ABSOLUTE-WINS"},
	Objects: `
-- routes/{{.ID}}-a --
{"host": "one.{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
`,
	Backends: 1,
	Run: func(ctx context.Context, t *spec.T) {
		one := "one." + t.Host()
		for _, gw := range t.Env().Gateways() {
			s := ask.Session(t, gw.Data, traffic.Options{})
			r := s.Do(ctx, traffic.Request{Host: "two." + t.Host(), Target: "http://" + one + "/x"})
			got := ask.Seen(t, r).Seen.Host
			t.Check(got == one, "%s: the backend saw Host %q, want %q", gw.Ref, got, one)
		}
	},
}
