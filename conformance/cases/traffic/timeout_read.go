package traffic

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/echo"
	"github.com/unilb/unilb/sim/traffic"
)

// Time limits of the objects are whole seconds, so that any gateway can keep them,
// and as short as that allows. lateBound is when one that is kept must have had its
// effect, on any machine.
const (
	shortLimit = time.Second
	lateBound  = 5 * time.Second
)

// Catches a gateway that waits for ever, or as long as its own defaults say, for a
// target that hangs; or that sends a POST again because the first one took long.
var timeoutRead = spec.Case{
	ID: "TIME-READ", Level: spec.Must, Needs: []spec.Feature{spec.ProxyTimeouts},
	Title: "A target that says nothing for longer than timeout.read makes a 504 of the gateway, no sooner, and a POST arrives once.",
	Refs:  []string{"APISIX 3.18 upstream.timeout.read", "RFC 9110 15.6.5"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "retries": 0, "nodes": {"{{index .Backends 0}}": 1}, "timeout": {"connect": 5, "send": 5, "read": 1}}}
`,
	Backends: 1,
	Run: func(ctx context.Context, t *spec.T) {
		var running sync.WaitGroup
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			s := one(t)
			running.Go(func() {
				r := s.Do(ctx, traffic.Request{Method: method, Host: t.Host()}.With(echo.HeaderHang, "1"))
				t.Check(own(r, http.StatusGatewayTimeout), "%s: got %s, want the gateway's 504 (op %s)", method, ask.Said(r), r.Op.ID)
				took := r.Op.Latency()
				t.Check(took > shortLimit*9/10 && took < lateBound, "%s: took %s, want %s to %s (op %s)", method, took, shortLimit, lateBound, r.Op.ID)
				n := len(arrivalsOf(t, r.Op.ID))
				t.Check(n == 1, "%s: the backend saw it %d times, want once (op %s)", method, n, r.Op.ID)
			})
		}
		running.Wait()
	},
}
