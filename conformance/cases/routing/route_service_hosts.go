package routing

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that ignores the hosts of a service, or adds them to those
// of the route.
var routeServiceHosts = spec.Case{
	ID: "ROUTE-SERVICE-HOSTS", Level: spec.Must, Needs: []spec.Feature{spec.RouteReferences, spec.RouteHost, spec.RoutePriority},
	Title: "A route without hosts takes those of its service; a route with hosts keeps its own.",
	Refs:  []string{"APISIX 3.18 service.hosts, merge of route and service"},
	After: []string{"ROUTE-SERVICE", "ROUTE-HOST-WILDCARD"},
	Objects: `
-- services/{{.ID}}-s --
{"hosts": ["svc.{{.Host}}", "*.wild.{{.Host}}"], "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-a --
{"uri": "/*", "service_id": "{{.ID}}-s"}
-- routes/{{.ID}}-b --
{"host": "own.{{.Host}}", "uri": "/own", "service_id": "{{.ID}}-s", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 2}}": 1}}}
-- routes/{{.ID}}-c --
{"host": "*.{{.Host}}", "uri": "/*", "priority": 9, "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 1}}": 1}}}
`,
	Backends: 3,
	Run: func(ctx context.Context, t *spec.T) {
		h := t.Host()
		ask.Route(ctx, t,
			ask.Expect{Host: "svc." + h, Target: "/x", Want: 0, Why: "a host of the service"},
			ask.Expect{Host: "a.wild." + h, Target: "/x", Want: 0, Why: "its wildcard"},
			ask.Expect{Host: "own." + h, Target: "/own", Want: 2, Why: "a host of the route"},
			ask.Expect{Host: "svc." + h, Target: "/own", Want: 0, Why: "no host of that route: the other route of the service"},
			ask.Expect{Host: "own." + h, Target: "/x", Want: 1, Why: "not a host of the service: somebody else"},
			ask.Expect{Host: "else." + h, Target: "/x", Want: 1, Why: "nobody of the service"},
			ask.Expect{Host: h, Target: "/x", Want: ask.None, Why: "nobody at all"},
		)
	},
}
