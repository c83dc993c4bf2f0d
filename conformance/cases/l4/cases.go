// Package l4 owns the cases of the profile L4-FAILOVER: connections to a public address when gateways come and go. It knows
// no lab and no gateway.
package l4

import "github.com/unilb/unilb/conformance/spec"

// Cases returns them in the order of a report.
func Cases() []spec.Case {
	return []spec.Case{
		firstRequest,
		spread,
		clientAddress,
		eipWithdrawn,
		forgedTunnel,
		connStays,
		nodeLost, // before gateways fail: two L4 nodes may learn of their return at different times
		portsAgain,
		drained,
		gatewayKilled,
		gatewayFrozen,
	}
}
