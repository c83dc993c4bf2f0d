// Package ha owns the cases of the profile HA: traffic and edits while parts of the system are away. It knows
// no lab and no gateway.
package ha

import "github.com/unilb/unilb/conformance/spec"

// Cases returns them in the order of a report.
func Cases() []spec.Case {
	return []spec.Case{
		adminLost,
		apiLost,
		agentsLost,
		agentCatchesUp,
		storeLeaderLost,
		storeKilled,
		storeFrozen,
		storeSplit,
		storeAwayStart,
		drift,
	}
}
