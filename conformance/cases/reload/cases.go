// Package reload owns the cases of the profile L7-RELOAD: changes under load: edits, deletes, drain. It knows
// no lab and no gateway.
package reload

import "github.com/unilb/unilb/conformance/spec"

// Cases returns them in the order of a report.
func Cases() []spec.Case {
	return []spec.Case{
		reloadNewRoute,
		reloadRouteMoves,
		reloadReferences,
		reloadSharedUpstream,
		reloadDeleteEffect,
		reloadRecreate,
		reloadBurst,
		reloadRefusedEdit,
		reloadKeepaliveOverEdit,
		reloadOwnWord,
		reloadSlowOverEdit,
		reloadSlowOverDelete,
		reloadSlowOverRemoval,
		reloadBodyOverEdit,
		reloadBackendConnsKept,
		reloadWeightsKept,
		reloadHealthKept,
		reloadHealthOtherNode,
		reloadEditUnderLoad,
		reloadSignalLoad,
		reloadSignalInFlight,
		reloadSignalConfig,
		drainInFlight,
		drainLongBody,
		drainWebSocket,
		drainNewConns,
		drainKeptConns,
		drainIdleClient,
		drainHTTP2,
		drainRestart,
		restartByConfiguration,
		restartInFlight,
		restartLoad,
		restartKeptConns,
		restartHTTP2,
		restartWebSocket,
		restartConfig,
	}
}
