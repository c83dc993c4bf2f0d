package routing

import (
	"context"
	"fmt"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that knows the first of several addresses only, or refuses
// lists that hold both families.
var routeRemoteAddrs = spec.Case{
	ID: "ROUTE-REMOTE-ADDRS", Level: spec.Must, Needs: []spec.Feature{spec.RouteRemoteAddr},
	Title:    "A route with several client addresses serves each of them, addresses and networks of both families.",
	Refs:     []string{"APISIX 3.18 route.remote_addrs"},
	After:    []string{"ROUTE-REMOTE-ADDR"},
	Backends: 2,
	Run: func(ctx context.Context, t *spec.T) {
		me := clientAddr(ctx, t)
		list := func(uri, from string) {
			t.Put(ctx, "routes/"+t.Name(uri[1:]), t.Render(fmt.Sprintf(`{"host": "{{.Host}}", "uri": "%s", "remote_addrs": [%s], "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}`, uri, from)))
		}
		list("/first", fmt.Sprintf(`"%s", "192.0.2.0/24"`, me))
		list("/last", fmt.Sprintf(`"192.0.2.0/24", "2001:db8::/32", "198.51.100.7", "%s"`, near(me, 4)))
		list("/none", fmt.Sprintf(`"192.0.2.0/24", "2001:db8::/32", "%s"`, neighbour(me, 4)))
		t.Put(ctx, "routes/"+t.Name("rest"), t.Render(`{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 1}}": 1}}}`))
		t.Wait(ctx)
		h := t.Host()
		ask.Route(ctx, t,
			ask.Expect{Host: h, Target: "/first", Want: 0, Why: "the first of the list"},
			ask.Expect{Host: h, Target: "/last", Want: 0, Why: "a network at the end of the list"},
			ask.Expect{Host: h, Target: "/none", Want: 1, Why: "none of the list"},
		)
	},
}
