package reload

import (
	"context"
	"fmt"

	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that frees what a request in flight still uses when route
// and upstream both go away.
var reloadSlowOverRemoval = slowOver(spec.Case{
	ID:    "RELOAD-SLOW-OVER-REMOVAL",
	Title: "A request in flight is answered although its route and its upstream are deleted and written anew with other targets meanwhile.",
	Refs:  []string{"APISIX 3.18 hot reload"},
}, func(ctx context.Context, t *spec.T) int {
	t.Delete(ctx, "routes/"+t.ID())
	t.Delete(ctx, "upstreams/"+t.ID())
	t.Put(ctx, "upstreams/"+t.ID(), upstreamOf(t.Backend(0)))
	t.Put(ctx, "routes/"+t.ID(), fmt.Sprintf(`{"host":%q,"uri":"/*","upstream_id":%q}`, t.Host(), t.ID()))
	return 0
})
