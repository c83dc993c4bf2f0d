package reload

import (
	"context"

	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that forgets what it knows of all targets of an upstream
// when one of them comes or goes, as every scaling does.
var reloadHealthOtherNode = healthOver(spec.Case{
	ID:    "RELOAD-HEALTH-OTHER-NODE",
	Title: "A target that its health check took out gets no request while and after other targets of its upstream come and go.",
	Refs:  []string{"APISIX 3.18 healthcheck_manager: state of nodes that stay is kept over a change of the nodes"},
}, func(ctx context.Context, t *spec.T, i int) {
	others := [][]spec.Backend{{t.Backend(0), t.Backend(1), t.Backend(2)}, {t.Backend(0), t.Backend(2)}, {t.Backend(0), t.Backend(1)}}
	t.Put(ctx, "upstreams/"+t.ID(), checkedUpstream(others[i%3]...))
	t.Wait(ctx)
})
