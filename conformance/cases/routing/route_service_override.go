package routing

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that lets the service win, or the kind of reference
// decide.
var routeServiceOverride = spec.Case{
	ID: "ROUTE-SERVICE-OVERRIDE", Level: spec.Must, Needs: []spec.Feature{spec.RouteReferences},
	Title: "An upstream of the route replaces that of its service, whether each is written inside or named by id.",
	Refs:  []string{"APISIX 3.18 merge of route and service: upstream and upstream_id of the route replace either of the service"},
	After: []string{"ROUTE-SERVICE"},
	Objects: `
-- upstreams/{{.ID}}-u --
{"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}
-- upstreams/{{.ID}}-v --
{"type": "roundrobin", "nodes": {"{{index .Backends 1}}": 1}}
-- services/{{.ID}}-in --
{"upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 1}}": 1}}}
-- services/{{.ID}}-by --
{"upstream_id": "{{.ID}}-v"}
-- routes/{{.ID}}-in-over-in --
{"host": "{{.Host}}", "uri": "/in-over-in", "service_id": "{{.ID}}-in", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-in-over-by --
{"host": "{{.Host}}", "uri": "/in-over-by", "service_id": "{{.ID}}-by", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-by-over-in --
{"host": "{{.Host}}", "uri": "/by-over-in", "service_id": "{{.ID}}-in", "upstream_id": "{{.ID}}-u"}
-- routes/{{.ID}}-by-over-by --
{"host": "{{.Host}}", "uri": "/by-over-by", "service_id": "{{.ID}}-by", "upstream_id": "{{.ID}}-u"}
`,
	Backends: 2,
	Run: func(ctx context.Context, t *spec.T) {
		h := t.Host()
		ask.Route(ctx, t,
			ask.Expect{Host: h, Target: "/in-over-in", Want: 0, Why: "both inside"},
			ask.Expect{Host: h, Target: "/in-over-by", Want: 0, Why: "the route inside, the service by id"},
			ask.Expect{Host: h, Target: "/by-over-in", Want: 0, Why: "the route by id, the service inside"},
			ask.Expect{Host: h, Target: "/by-over-by", Want: 0, Why: "both by id"},
		)
	},
}
