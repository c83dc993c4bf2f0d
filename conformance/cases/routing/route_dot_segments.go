package routing

import (
	"context"
	"net/http"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/traffic"
)

// Catches a gateway that matches . and .. as they were sent: what the backend
// resolves afterwards lies outside of the path that was allowed.
var routeDotSegments = spec.Case{
	ID: "ROUTE-DOT-SEGMENTS", Level: spec.Must, Needs: []spec.Feature{spec.RouteNormalPath},
	Title: "Segments . and .. are resolved before a path is matched, encoded ones too, and nothing lies above the root.",
	Refs:  []string{"RFC 3986 5.2.4 and 6.2.2.3", "APISIX 3.18 matches nginx $uri"},
	After: []string{"ROUTE-PATH-DECODED"},
	Objects: `
-- routes/{{.ID}}-a --
{"host": "{{.Host}}", "uri": "/pub/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-b --
{"host": "{{.Host}}", "uri": "/adm/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 1}}": 1}}}
-- routes/{{.ID}}-c --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 2}}": 1}}}
`,
	Backends: 3,
	Run: func(ctx context.Context, t *spec.T) {
		h := t.Host()
		ask.Route(ctx, t,
			ask.Expect{Host: h, Target: "/pub/../adm/x", Want: 1, Why: "out of one prefix into another"},
			ask.Expect{Host: h, Target: "/pub/%2e%2e/adm/x", Want: 1, Why: "encoded"},
			ask.Expect{Host: h, Target: "/pub/.%2E/adm/x", Want: 1, Why: "half encoded"},
			ask.Expect{Host: h, Target: "/pub/..%2fadm/x", Want: 1, Why: "the slash encoded"},
			ask.Expect{Host: h, Target: "/pub/a/b/../../../adm/x", Want: 1, Why: "several"},
			ask.Expect{Host: h, Target: "/pub/./x", Want: 0, Why: "a single dot"},
			ask.Expect{Host: h, Target: "/./pub/x", Want: 0, Why: "a single dot at the root"},
			ask.Expect{Host: h, Target: "/adm/..", Want: 2, Why: "at the end"},
			ask.Expect{Host: h, Target: "/pub/.../adm/x", Want: 0, Why: "three dots are a name"},
			ask.Expect{Host: h, Target: "/pub/..x/.y/z..", Want: 0, Why: "dots in names"},
			ask.Expect{Host: h, Target: "/pub/x?/../../adm/x", Want: 0, Why: "a query has no segments"},
		)
		aboveRoot(ctx, t, "/../adm/x", "/pub/../../adm/x", "/%2e%2e/adm/x")
	},
}

// aboveRoot asks for paths that leave the root: RFC 3986 5.2.4 says that they
// begin there, nginx refuses them. Either is well; the raw path is not.
func aboveRoot(ctx context.Context, t *spec.T, targets ...string) {
	for _, gw := range t.Env().Gateways() {
		s := ask.Session(t, gw.Data, traffic.Options{})
		for _, target := range targets {
			r := s.Do(ctx, traffic.Request{Host: t.Host(), Target: target})
			ok := r.Reply != nil && (r.Backend() == t.Backend(1).Ref || !r.Reply.FromBackend() && r.Reply.Status == http.StatusBadRequest)
			t.Check(ok, "%s: %s: got %s, want 400, or %s (op %s)", gw.Ref, target, ask.Said(r), t.Backend(1).Ref, r.Op.ID)
		}
	}
}
