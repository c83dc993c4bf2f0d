package traffic

import (
	"context"
	"net/http"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/echo"
	"github.com/unilb/unilb/sim/traffic"
)

// Catches a gateway whose time limit counts for each try alone: with every target
// stuck a client waits for the limit times the number of targets.
var retryTimeout = spec.Case{
	ID: "RETRY-TIMEOUT", Level: spec.Must, Needs: []spec.Feature{spec.UpstreamRetryTimeout, spec.ProxyTimeouts},
	Title: "After retry_timeout no further target is tried: with 1 s, four targets that hang and a read limit of 1 s at most two see the request.",
	Refs:  []string{"APISIX 3.18 upstream.retry_timeout", "nginx proxy_next_upstream_timeout"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "retries": 3, "retry_timeout": 1, "timeout": {"connect": 5, "send": 5, "read": 1},
 "nodes": {"{{index .Backends 0}}": 1, "{{index .Backends 1}}": 1, "{{index .Backends 2}}": 1, "{{index .Backends 3}}": 1}}}
`,
	Backends: 4,
	Run: func(ctx context.Context, t *spec.T) {
		r := one(t).Do(ctx, traffic.Request{Host: t.Host()}.With(echo.HeaderHang, "1"))
		t.Check(own(r, http.StatusBadGateway, http.StatusGatewayTimeout), "got %s, want the gateway's 502 or 504 (op %s)", ask.Said(r), r.Op.ID)
		n := len(arrivalsOf(t, r.Op.ID))
		t.Check(n == 1 || n == 2, "%d targets saw it, want one or two (op %s)", n, r.Op.ID)
	},
}
