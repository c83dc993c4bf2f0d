// Package cases owns the statements about gateways that this project holds to
// be true and tries to refute: one case is one value in a file of its own, with
// the Admin objects it needs beside it as a txtar archive of the same name.
//
// Cases know no lab and no gateway; they use spec.T and spec.Env. They share no
// names, objects or backends. The comment above each says which broken gateway
// it would catch.
package cases

import "github.com/unilb/unilb/conformance/spec"

// All returns every case, in the order of a report.
func All() []spec.Case {
	return []spec.Case{
		adminEnvelope, adminBadKey, adminBadBody, adminIfMatch,
		routeExact, routePrefix, routePrefixLongest, routeExactOverPrefix,
		routeHost, routeHostWildcard, routeHostFallthrough, routeMethod, routeNone404,
		headersXFF, headersHopByHop, bodyIntact,
		lbWeighted, retryConnectRefused, retryPostNotRepeated, healthDownUp,
		reloadDeleteEffect, reloadKeepaliveOverEdit, reloadEditUnderLoad,
		eipForeignHost404, vpcOverlapIsolation, vpcClientAddress,
	}
}
