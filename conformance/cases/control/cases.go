// Package control owns the cases of the profile CONTROL-APISIX: what a gateway tells of itself to those who run it. It knows
// no lab and no gateway.
package control

import "github.com/unilb/unilb/conformance/spec"

// Cases returns them in the order of a report.
func Cases() []spec.Case {
	return []spec.Case{
		controlObjects,
		controlSchema,
		controlHealth,
		controlExplain,
		controlExplainNext,
	}
}
