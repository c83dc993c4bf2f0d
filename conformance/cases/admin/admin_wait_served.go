package admin

import (
	"context"
	"fmt"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches an Admin API that says of a write that it is in force when it is only stored,
// and a gateway that says of a revision that it serves it before it does: the next
// request meets what was there before.
var adminWaitServed = spec.Case{
	ID: "ADMIN-WAIT-SERVED", Level: spec.Must, Needs: []spec.Feature{spec.AdminWait},
	Title: "When a write with wait=applied has been answered, the very next request to any gateway is served by it.",
	Refs:  []string{"docs/admin.md, waiting until gateways serve a write"},
	After: []string{"ADMIN-WAIT"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
`,
	Backends: 2,
	Run: func(ctx context.Context, t *spec.T) {
		const rounds = 10
		path := "/routes/" + t.ID()
		for i := 1; i <= rounds; i++ {
			body := fmt.Sprintf(`{"host":%q,"uri":"/*","upstream":{"type":"roundrobin","nodes":{%q:1}}}`, t.Host(), t.Backend(i%2).Addr.String())
			r := t.Call(ctx, put(path+"?wait=applied&timeout=20s", body))
			if r.Status != 200 {
				t.Fatalf("PUT: got %s, want 200", r)
			}
			inForce(t, r)
			ask.Route(ctx, t, ask.Expect{Host: t.Host(), Target: "/", Want: i % 2, Why: fmt.Sprintf("edit %d is in force", i)})
		}
	},
}
