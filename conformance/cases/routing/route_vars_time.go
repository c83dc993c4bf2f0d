package routing

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that does not know the time, or has a time that stands still.
var routeVarsTime = spec.Case{
	ID: "ROUTE-VARS-TIME", Level: spec.Must, Needs: []spec.Feature{spec.RouteVars},
	Title: "Conditions may ask for the time, as nginx writes it.",
	Refs:  []string{"APISIX 3.18 route.vars, variables of nginx: time_iso8601, time_local, msec"},
	After: []string{"ROUTE-VARS-REGEX", "ROUTE-VARS-NUMBERS"},
	Objects: `
-- routes/{{.ID}}-a --
{"host": "{{.Host}}", "uri": "/iso", "vars": [["time_iso8601", "~~", "^20[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9][+-][0-9]{2}:[0-9]{2}$"]], "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-b --
{"host": "{{.Host}}", "uri": "/local", "vars": [["time_local", "~~", "^[0-3][0-9]/[A-Z][a-z]{2}/20[0-9]{2}:[0-2][0-9]:[0-5][0-9]:[0-6][0-9] [+-][0-9]{4}$"]], "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-c --
{"host": "{{.Host}}", "uri": "/msec", "vars": [["msec", ">", 1700000000], ["msec", "<", 4000000000], ["msec", "~~", "^[0-9]+[.][0-9]{3}$"]], "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-d --
{"host": "{{.Host}}", "uri": "/past", "vars": [["msec", "<", 1700000000]], "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
`,
	Backends: 1,
	Run: func(ctx context.Context, t *spec.T) {
		h := t.Host()
		ask.Route(ctx, t,
			ask.Expect{Host: h, Target: "/iso", Want: 0, Why: "as ISO 8601 has it"},
			ask.Expect{Host: h, Target: "/local", Want: 0, Why: "as logs have it"},
			ask.Expect{Host: h, Target: "/msec", Want: 0, Why: "seconds with milliseconds"},
			ask.Expect{Host: h, Target: "/past", Want: ask.None, Why: "it is later"},
		)
	},
}
