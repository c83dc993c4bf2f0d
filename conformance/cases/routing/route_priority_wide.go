package routing

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that keeps priorities in 32 bits, or in a float of 32
// bits: controllers pack several numbers into one.
var routePriorityWide = spec.Case{
	ID: "ROUTE-PRIORITY-WIDE", Level: spec.Must, Needs: []spec.Feature{spec.RoutePriority},
	Title: "Priorities of 38 bits are compared exactly, also below zero.",
	Refs:  []string{"APISIX 3.18 route.priority, an integer without bounds", "apisix-ingress-controller 2.2, priorities of up to 38 bits"},
	After: []string{"ROUTE-PRIORITY"},
	Objects: `
-- routes/{{.ID}}-a --
{"host": "{{.Host}}", "uri": "/near", "priority": 137438953472, "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-b --
{"host": "{{.Host}}", "uri": "/near", "priority": 137438953473, "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 1}}": 1}}}
-- routes/{{.ID}}-c --
{"host": "{{.Host}}", "uri": "/half", "priority": 1, "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-d --
{"host": "{{.Host}}", "uri": "/half", "priority": 2147483648, "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 1}}": 1}}}
-- routes/{{.ID}}-e --
{"host": "{{.Host}}", "uri": "/full", "priority": 1, "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-f --
{"host": "{{.Host}}", "uri": "/full", "priority": 4294967296, "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 1}}": 1}}}
-- routes/{{.ID}}-g --
{"host": "{{.Host}}", "uri": "/below", "priority": -137438953473, "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-i --
{"host": "{{.Host}}", "uri": "/below", "priority": -137438953472, "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 1}}": 1}}}
`,
	Backends: 2,
	Run: func(ctx context.Context, t *spec.T) {
		h := t.Host()
		ask.Route(ctx, t,
			ask.Expect{Host: h, Target: "/near", Want: 1, Why: "2^37+1 is more than 2^37"},
			ask.Expect{Host: h, Target: "/half", Want: 1, Why: "2^31 is more than 1"},
			ask.Expect{Host: h, Target: "/full", Want: 1, Why: "2^32 is more than 1"},
			ask.Expect{Host: h, Target: "/below", Want: 1, Why: "-2^37 is more than -2^37-1"},
		)
	},
}
