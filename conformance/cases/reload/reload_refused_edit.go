package reload

import (
	"context"
	"net/http"
	"time"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/traffic"
)

// refusalBound is how long a gateway that checks its configuration only when it
// takes it over may take to refuse it.
const refusalBound = 10 * time.Second

// Catches a gateway that takes what is in force away before it has looked at
// what comes, or that is stuck after an edit which it refused.
var reloadRefusedEdit = spec.Case{
	ID: "RELOAD-REFUSED-EDIT", Level: spec.Must, Needs: []spec.Feature{spec.HotConfig},
	Title: "An edit that is refused leaves the object that was in force in force, and the next good edit is followed.",
	Refs:  []string{"APISIX 3.18 Admin API: 400 invalid configuration", "docs/wire.md 1, errors: the previous version stays in force"},
	Objects: `
-- upstreams/{{.ID}} --
{"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream_id": "{{.ID}}"}
`,
	Backends: 2,
	Timeout:  90 * time.Second,
	Run: func(ctx context.Context, t *spec.T) {
		conns := keep(ctx, t, 1, traffic.Request{Host: t.Host()})
		serves := func(b int, why string) {
			for _, c := range conns {
				for range 3 {
					c.served(ctx, t, traffic.Request{Host: t.Host()}, t.Backend(b), why)
				}
			}
			ask.Route(ctx, t, ask.Expect{Host: t.Host(), Want: b, Why: why})
		}
		for i, bad := range []string{
			`{"type":"roundrobin","nodes":{"` + t.Backend(1).Addr.String() + `":-1}}`,
			`{"type":"roundrobin","nodes":[{"host":"` + t.Backend(1).Addr.Addr().String() + `","port":70000,"weight":1}]}`,
		} {
			r := t.Call(ctx, spec.Call{Method: http.MethodPut, Path: "/upstreams/" + t.ID(), Body: bad})
			if r.Status/100 == 2 { // then it must be refused when it is taken over
				bound, cancel := context.WithTimeout(ctx, refusalBound)
				err := t.Env().Applied(bound, r.Revision)
				cancel()
				t.Check(err != nil, "PUT upstreams/%s with %s: got %s and it comes into force, want it refused", t.ID(), bad, r)
			}
			serves(i%2, "a refused edit changes nothing")
			t.Put(ctx, "upstreams/"+t.ID(), upstreamOf(t.Backend((i+1)%2)))
			t.Wait(ctx)
			serves((i+1)%2, "a good edit after a refused one")
		}
	},
}
