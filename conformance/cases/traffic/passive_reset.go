package traffic

import (
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/echo"
)

// Catches a gateway that counts statuses only: a target that cuts every connection
// costs every request that comes its way a second try.
var passiveReset = passiveCase(spec.Case{
	ID:    "PASSIVE-RESET",
	Title: "A target that resets connections instead of answering is left out after a few requests.",
	Refs:  []string{"APISIX 3.18 upstream.checks.passive.unhealthy.tcp_failures"},
}, echo.Behaviour{Reset: echo.ResetHead})
