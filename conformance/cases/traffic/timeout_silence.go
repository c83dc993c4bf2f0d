package traffic

import (
	"context"
	"net/http"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/echo"
	"github.com/unilb/unilb/sim/traffic"
)

// Catches a gateway that takes the time limit of one silence for that of a whole
// answer: every download that takes longer is cut.
var timeoutSilence = spec.Case{
	ID: "TIME-SILENCE", Level: spec.Must, Needs: []spec.Feature{spec.ProxyTimeouts},
	Title: "timeout.read is the longest silence and not the longest answer: one that comes in pieces for 1.6 s with a limit of 1 s is complete.",
	Refs:  []string{"APISIX 3.18 upstream.timeout.read", "nginx proxy_read_timeout"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}, "timeout": {"connect": 5, "send": 5, "read": 1}}}
`,
	Backends: 1,
	Run: func(ctx context.Context, t *spec.T) {
		r := one(t).Do(ctx, traffic.Request{Host: t.Host()}.With(echo.HeaderSize, "800").With(echo.HeaderDrip, "100/200ms"))
		whole := r.Reply != nil && r.Reply.Status == http.StatusOK && string(r.Reply.Body) == string(echo.Pattern(800))
		t.Check(whole, "got %s with %d bytes after %s, want 200 with all 800 (op %s)", ask.Said(r), length(r), r.Op.Latency(), r.Op.ID)
	},
}
