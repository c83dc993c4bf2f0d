package routing

import (
	"context"
	"fmt"

	"github.com/unilb/unilb/conformance/cases/raw"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that waits for a body whose sender waits for it.
var routeVarsBodyExpect = spec.Case{
	ID: "ROUTE-VARS-BODY-EXPECT", Level: spec.Must, Needs: []spec.Feature{spec.RouteVarsBody, spec.RouteVars, spec.RoutePriority, spec.H1Expect},
	Title: "A client that waits for 100 before it sends the body that a condition is about gets it.",
	Refs:  []string{"RFC 9110 10.1.1", "APISIX 3.18 route.vars, post_arg_<name>"},
	After: []string{"ROUTE-VARS-FORM"},
	Objects: `
-- routes/{{.ID}}-a --
{"host": "{{.Host}}", "uri": "/x", "vars": [["post_arg_v", "==", "2"]], "priority": 1, "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-b --
{"host": "{{.Host}}", "uri": "/x", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 1}}": 1}}}
`,
	Backends: 2,
	Run: func(ctx context.Context, t *spec.T) {
		for _, gw := range t.Env().Gateways() {
			c := raw.Dial(ctx, t, gw.Data)
			for body, want := range map[string]int{"v=2": 0, "v=3": 1} {
				c.OnInterim = func(status int) {
					if status == 100 {
						c.OnInterim = nil
						_ = c.Write(body) // the answer tells what became of it
					}
				}
				r := c.Do(ctx, fmt.Sprintf("POST /x HTTP/1.1\r\nHost: %s\r\nX-Op-Id: %s\r\nContent-Type: %s\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n", t.Host(), raw.OpMark, formType, len(body)))
				t.Check(r.Mine() && len(r.Interim) > 0 && r.Op.Response.Backend == t.Backend(want).Ref, "%s: the form %s: got %s after %v, want 100 and then 200 from %s (op %s)",
					gw.Ref, body, r, r.Interim, t.Backend(want).Ref, r.Op.ID)
				if r.Reply == nil {
					break
				}
			}
		}
	},
}
