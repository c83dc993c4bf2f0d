package reload

import (
	"context"

	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that cuts or repeats what is in flight when the upstream of
// its route is replaced, as one does that closes the connections of a target
// which left.
var reloadSlowOverEdit = slowOver(spec.Case{
	ID:    "RELOAD-SLOW-OVER-EDIT",
	Title: "A request in flight is answered by the target it was sent to, once, although that target left the upstream meanwhile.",
	Refs:  []string{"APISIX 3.18 hot reload"},
}, func(ctx context.Context, t *spec.T) int {
	t.Put(ctx, "upstreams/"+t.ID(), upstreamOf(t.Backend(0)))
	return 0
})
