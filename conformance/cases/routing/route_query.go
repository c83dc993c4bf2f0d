package routing

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/traffic"
)

// Catches a gateway that matches the query along with the path, resolves dots
// inside it, or changes it on the way.
var routeQuery = spec.Case{
	ID: "ROUTE-QUERY", Level: spec.Must, Needs: []spec.Feature{spec.RouteURI},
	Title: "The query takes no part in the match and reaches the backend as it was sent.",
	Refs:  []string{"RFC 3986 3.4", "RFC 9110 7.1", "APISIX 3.18 matches nginx $uri, which has no query"},
	After: []string{"ROUTE-EXACT"},
	Objects: `
-- routes/{{.ID}}-a --
{"host": "{{.Host}}", "uri": "/q", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-b --
{"host": "{{.Host}}", "uri": "/p/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 1}}": 1}}}
`,
	Backends: 2,
	Run: func(ctx context.Context, t *spec.T) {
		for _, gw := range t.Env().Gateways() {
			s := ask.Session(t, gw.Data, traffic.Options{Conns: traffic.ConnPolicy{Keep: 1}})
			for _, query := range []string{"?a=1", "?a=%2F..%2Fadm&b=/../x//y", "?/other", "?a?b=?", "?to=http://other.example/", "?A=%41&a=+"} {
				for i, path := range []string{"/q", "/p/x"} {
					r := s.Do(ctx, traffic.Request{Host: t.Host(), Target: path + query})
					if want := t.Backend(i).Ref; !t.Check(r.Backend() == want, "%s: %s: got %s, want %s", gw.Ref, path+query, ask.Said(r), want) {
						continue
					}
					seen := ask.Seen(t, r).Seen.Target
					t.Check(seen == path+query, "%s: the backend was asked for %q, the client had asked for %q", gw.Ref, seen, path+query)
				}
			}
		}
		ask.Route(ctx, t, ask.Expect{Host: t.Host(), Target: "/q?", Want: 0, Why: "an empty query"})
	},
}
