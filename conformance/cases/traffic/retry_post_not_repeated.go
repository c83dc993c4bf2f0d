package traffic

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/check"
	"github.com/unilb/unilb/sim/echo"
	"github.com/unilb/unilb/sim/history"
	"github.com/unilb/unilb/sim/traffic"
)

// Catches a gateway that repeats a POST after it was sent: an order placed
// twice. The first target takes every request and then cuts the connection.
var retryPostNotRepeated = spec.Case{
	ID: "RETRY-POST-NOT-REPEATED", Level: spec.Must, Needs: []spec.Feature{spec.UpstreamRetries},
	Title: "A POST that was sent to a target is never sent again, neither there nor to another; the client learns that it failed.",
	Refs:  []string{"APISIX 3.18 upstream.retries", "RFC 9110 9.2.2"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "retries": 3, "nodes": {"{{index .Backends 0}}": 1, "{{index .Backends 1}}": 1}}}
`,
	Backends: 2,
	Run: func(ctx context.Context, t *spec.T) {
		bad, good := t.Backend(0), t.Backend(1)
		bad.Server.SetBehaviour(echo.Behaviour{Reset: echo.ResetHead})
		gw := t.Env().Gateways()[0]
		ops := map[string]bool{}
		for _, conns := range []traffic.ConnPolicy{{Keep: 1}, {}} {
			s := ask.Session(t, gw.Data, traffic.Options{Conns: conns})
			for range 30 {
				r := s.Do(ctx, traffic.Request{Method: "POST", Host: t.Host(), Body: []byte("order")})
				ops[r.Op.ID] = true
				t.Check(unserved(r) || r.Backend() == good.Ref, "got %s, want the gateway's 502, the end of the connection, or an answer of %s (op %s)", ask.Said(r), good.Ref, r.Op.ID)
			}
		}
		if bad.Server.Requests() < 5 {
			t.Undecided("only %d requests met the target that cuts connections", bad.Server.Requests())
		}
		h := t.Env().Recorder().Snapshot().Only(func(o history.Op) bool { return ops[o.ID] })
		t.Verdicts(check.AtMostOnce().Check(h, t.Env().Facts()))
	},
}
