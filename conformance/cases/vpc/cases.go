// Package vpc owns the cases of the profile VPC-DATAPATH: tenants behind public addresses and in overlapping networks. It knows
// no lab and no gateway.
package vpc

import "github.com/unilb/unilb/conformance/spec"

// Cases returns them in the order of a report.
func Cases() []spec.Case {
	return []spec.Case{
		eipForeignHost404,
		vpcOverlapIsolation,
		vpcClientAddress,
		vpcHTTPS,
		guestSeesItself,
		largeBodies,
		manyConnections,
		targetWithdrawn,
		addressOfAnother,
		refusedPort,
		forgedGuest,
	}
}
