package reload

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that cuts what is in flight when its route goes away.
var reloadSlowOverDelete = slowOver(spec.Case{
	ID:    "RELOAD-SLOW-OVER-DELETE",
	Title: "A request in flight is answered although its route is deleted meanwhile.",
	Refs:  []string{"APISIX 3.18 hot reload"},
}, func(ctx context.Context, t *spec.T) int {
	t.Delete(ctx, "routes/"+t.ID())
	return ask.None
})
