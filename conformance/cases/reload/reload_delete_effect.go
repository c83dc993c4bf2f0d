package reload

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that adds what it watches and never removes: a route that
// an operator deleted keeps sending traffic to servers that may be gone.
var reloadDeleteEffect = spec.Case{
	ID: "RELOAD-DELETE-EFFECT", Level: spec.Must, Needs: []spec.Feature{spec.HotConfig},
	Title: "A deleted route serves nothing any more, on any gateway, once the delete is in force.",
	Refs:  []string{"APISIX 3.18 config_etcd: a delete is an event", "docs/wire.md 1, applied"},
	Objects: `
-- routes/{{.ID}}-wide --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-narrow --
{"host": "{{.Host}}", "uri": "/narrow", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 1}}": 1}}}
`,
	Backends: 2,
	Run: func(ctx context.Context, t *spec.T) {
		h := t.Host()
		ask.Route(ctx, t, ask.Expect{Host: h, Target: "/narrow", Want: 1, Why: "before"}, ask.Expect{Host: h, Target: "/x", Want: 0, Why: "before"})
		t.Delete(ctx, "routes/"+t.Name("narrow"))
		t.Wait(ctx)
		ask.Route(ctx, t, ask.Expect{Host: h, Target: "/narrow", Want: 0, Why: "the wide route is left"}, ask.Expect{Host: h, Target: "/x", Want: 0, Why: "untouched"})
		t.Delete(ctx, "routes/"+t.Name("wide"))
		t.Wait(ctx)
		ask.Route(ctx, t, ask.Expect{Host: h, Target: "/narrow", Want: ask.None, Why: "both are deleted"}, ask.Expect{Host: h, Target: "/x", Want: ask.None, Why: "both are deleted"})
	},
}
