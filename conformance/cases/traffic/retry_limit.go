package traffic

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/echo"
	"github.com/unilb/unilb/sim/traffic"
)

// Catches a gateway that tries every target it has, so that one poisonous request
// brings all of them down, and one that tries again where it has just failed.
var retryLimit = spec.Case{
	ID: "RETRY-LIMIT", Level: spec.Must, Needs: []spec.Feature{spec.UpstreamRetries},
	Title: "With retries 1 a GET that every target cuts off arrives at two targets, two different ones, and fails.",
	Refs:  []string{"APISIX 3.18 upstream.retries", "nginx proxy_next_upstream_tries"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "retries": 1,
 "nodes": {"{{index .Backends 0}}": 1, "{{index .Backends 1}}": 1, "{{index .Backends 2}}": 1, "{{index .Backends 3}}": 1}}}
`,
	Backends: 4,
	Run: func(ctx context.Context, t *spec.T) {
		s, again := one(t), 0
		for range 8 {
			r := s.Do(ctx, traffic.Request{Host: t.Host()}.With(echo.HeaderReset, "head"))
			t.Check(unserved(r), "got %s, want a failure (op %s)", ask.Said(r), r.Op.ID)
			as := arrivalsOf(t, r.Op.ID)
			t.Check(len(as) <= 2, "it arrived %d times, want at most 2 (op %s)", len(as), r.Op.ID)
			if len(as) > 1 {
				again++
				t.Check(as[0].Backend != as[1].Backend, "it was sent to %s twice (op %s)", as[0].Backend, r.Op.ID)
			}
		}
		t.Check(again > 0, "none of 8 requests was sent to a second target")
	},
}
