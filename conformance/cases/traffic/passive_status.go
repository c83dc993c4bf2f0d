package traffic

import (
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/echo"
)

// Catches a gateway that learns nothing from the answers it passes on: a target
// whose health page is fine and whose work is not fails its share for ever.
var passiveStatus = passiveCase(spec.Case{
	ID:    "PASSIVE-STATUS",
	Title: "A target that answers requests with a status of passive.unhealthy.http_statuses is left out after a few of them.",
	Refs:  []string{"APISIX 3.18 upstream.checks.passive"},
}, echo.Behaviour{Status: 500})
