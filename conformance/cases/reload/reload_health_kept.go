package reload

import (
	"context"

	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that begins all health checks anew with every edit, and
// meanwhile takes every target for healthy.
var reloadHealthKept = healthOver(spec.Case{
	ID:    "RELOAD-HEALTH-KEPT",
	Title: "A target that its health check took out gets no request during and after edits of other objects.",
	Refs:  []string{"APISIX 3.18 healthcheck_manager: a checker is kept until its own upstream changes"},
}, func(ctx context.Context, t *spec.T, i int) { touch(ctx, t, i, t.Backend(1)) })
