package reload

import (
	"context"

	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/traffic"
)

// Catches a gateway that waits for clients to close connections on which
// nothing happens: one that stays for its whole idle time, an hour perhaps, holds
// up every deployment.
var drainIdleClient = spec.Case{
	ID: "DRAIN-IDLE-CLIENT", Level: spec.Must, Needs: []spec.Feature{spec.GatewayDrain}, Env: []spec.Capability{spec.Control},
	Title: "A drain ends within the time of the gateway's manifest although clients keep idle connections open.",
	Refs:  []string{"nginx control: QUIT closes idle connections, which APISIX 3.18 stops by", "RFC 9112 9.6"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
`,
	Backends: 1,
	Run: func(ctx context.Context, t *spec.T) {
		keep(ctx, t, 3, traffic.Request{Host: t.Host()}) // they stay until the case ends
		d := drain(ctx, t, drained(t))
		defer d.restart(t)
		d.finish(t)
	},
	Timeout: restartBound,
}
