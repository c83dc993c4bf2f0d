package reload

import (
	"context"
	"errors"
	"fmt"
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
			mustBeRefused(ctx, t, r, fmt.Sprintf("PUT upstreams/%s with %s", t.ID(), bad))
			serves(i%2, "a refused edit changes nothing")
			t.Put(ctx, "upstreams/"+t.ID(), upstreamOf(t.Backend((i+1)%2)))
			t.Wait(ctx)
			serves((i+1)%2, "a good edit after a refused one")
		}
	},
}

// mustBeRefused judges the answer to an edit that no gateway may take: it is
// refused when it is written, or else by a gateway when it is taken over. A gateway
// that is only late has not refused it.
func mustBeRefused(ctx context.Context, t *spec.T, r spec.Reply, what string) {
	if r.Status/100 != 2 {
		t.Check(r.Status/100 == 4, "%s: got %s, want it refused", what, r)
		return
	}
	bound, cancel := context.WithTimeout(ctx, refusalBound)
	defer cancel()
	err := t.Env().Applied(bound, r.Revision)
	var no *spec.Refused
	var ours *spec.Trouble
	switch {
	case err == nil:
		t.Check(false, "%s: got %s and it comes into force, want it refused", what, r)
	case errors.As(err, &ours):
		t.Brokenf("%s: whether it is refused cannot be seen: %v", what, err)
	case !errors.As(err, &no):
		t.Check(false, "%s: got %s, and within %s it is neither refused nor in force: %v", what, r, refusalBound, err)
	}
}
