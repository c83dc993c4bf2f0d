package cases

import (
	"context"

	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that adds what it watches and never removes: a route that
// an operator deleted keeps sending traffic to servers that may be gone.
var reloadDeleteEffect = spec.Case{
	ID: "RELOAD-DELETE-EFFECT", Level: spec.Must, Needs: []spec.Feature{spec.HotConfig},
	Title:    "A deleted route serves nothing any more, on any gateway, once the delete is in force.",
	Refs:     []string{"APISIX 3.18 config_etcd: a delete is an event", "docs/wire.md 1, applied"},
	Objects:  objects("reload_delete_effect"),
	Backends: 2,
	Run: func(ctx context.Context, t *spec.T) {
		h := t.Host()
		route(ctx, t, ask{host: h, target: "/narrow", want: 1, why: "before"}, ask{host: h, target: "/x", want: 0, why: "before"})
		t.Delete(ctx, "routes/"+t.Name("narrow"))
		t.Wait(ctx)
		route(ctx, t, ask{host: h, target: "/narrow", want: 0, why: "the wide route is left"}, ask{host: h, target: "/x", want: 0, why: "untouched"})
		t.Delete(ctx, "routes/"+t.Name("wide"))
		t.Wait(ctx)
		route(ctx, t, ask{host: h, target: "/narrow", want: none, why: "both are deleted"}, ask{host: h, target: "/x", want: none, why: "both are deleted"})
	},
}
