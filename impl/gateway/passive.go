package gateway

import (
	"slices"
	"strconv"
	"time"

	"github.com/unilb/unilb/impl/apisix"
	"github.com/unilb/unilb/impl/config"
	"github.com/unilb/unilb/impl/exchange"
	"github.com/unilb/unilb/impl/health"
	"github.com/unilb/unilb/impl/proxy"
)

// observe counts what came of a try for the passive check of its upstream. It
// shares states and counters with the active check; the limits are its own.
func (h *healthBook) observe(up *config.Upstream, target int, o proxy.Observation) {
	h.mu.Lock()
	states, ok := h.states[up]
	h.mu.Unlock()
	if !ok {
		return // replaced meanwhile
	}
	c := up.Checks.Passive
	event, detail := passiveEvent(c, o)
	states[target].Report(event, health.Limits{
		Successes: c.Healthy.Successes, HTTPFailures: c.Unhealthy.HTTPFailures,
		TCPFailures: c.Unhealthy.TCPFailures, Timeouts: c.Unhealthy.Timeouts,
	}, detail, time.Now())
}

func passiveEvent(c *apisix.PassiveCheck, o proxy.Observation) (health.Event, string) {
	switch {
	case o.Status == 504:
		return health.Timeout, "answered 504"
	case slices.Contains(c.Healthy.HTTPStatuses, o.Status):
		return health.Success, ""
	case slices.Contains(c.Unhealthy.HTTPStatuses, o.Status):
		return health.HTTPFailure, "answered " + strconv.Itoa(o.Status)
	case o.Status != 0 || o.Failure == exchange.FailedInternal:
		return health.Ignored, ""
	case o.Failure.Timeout():
		return health.Timeout, o.Failure.String()
	case o.Failure == exchange.BadAnswer:
		return health.HTTPFailure, o.Failure.String()
	}
	return health.TCPFailure, o.Failure.String()
}
