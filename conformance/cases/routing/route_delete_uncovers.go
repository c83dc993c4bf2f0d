package routing

import (
	"context"
	"fmt"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that leaves a hole where a route was, or loses those that
// the deleted one had covered.
var routeDeleteUncovers = spec.Case{
	ID: "ROUTE-DELETE-UNCOVERS", Level: spec.Must, Needs: []spec.Feature{spec.RouteURI, spec.RouteHost},
	Title:    "When a route goes away the next best serves at once, in whatever order routes go.",
	Refs:     []string{"APISIX 3.18 Admin API, DELETE", "APISIX 3.18 router radixtree_host_uri, order of hosts and paths"},
	After:    []string{"ROUTE-HOST-FALLTHROUGH", "ROUTE-EXACT-OVER-PREFIX"},
	Backends: 4,
	Run: func(ctx context.Context, t *spec.T) {
		layers := []string{ // the best first
			`{"host": "x.{{.Host}}", "uri": "/{{.ID}}/q", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}`,
			`{"host": "x.{{.Host}}", "uri": "/{{.ID}}/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 1}}": 1}}}`,
			`{"host": "*.{{.Host}}", "uri": "/{{.ID}}/q", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 2}}": 1}}}`,
			`{"uri": "/{{.ID}}/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 3}}": 1}}}`,
		}
		write := func() {
			for i, o := range layers {
				t.Put(ctx, fmt.Sprintf("routes/%s-%d", t.ID(), i), t.Render(o))
			}
			t.Wait(ctx)
		}
		gone := func(i, want int, why string) {
			t.Delete(ctx, fmt.Sprintf("routes/%s-%d", t.ID(), i))
			t.Wait(ctx)
			ask.Route(ctx, t, ask.Expect{Host: "x." + t.Host(), Target: "/" + t.ID() + "/q", Want: want, Why: why})
		}
		t.Step("the best goes first")
		write()
		gone(0, 1, "the prefix of the host")
		gone(1, 2, "the wildcard host")
		gone(2, 3, "no host")
		gone(3, ask.None, "nothing is left")
		t.Step("the best goes last")
		write()
		gone(2, 0, "the best is still there")
		gone(3, 0, "the best is still there")
		gone(1, 0, "the best is still there")
		gone(0, ask.None, "nothing is left")
	},
}
