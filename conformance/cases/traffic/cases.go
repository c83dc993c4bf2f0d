// Package traffic owns the cases of the profile L7-TRAFFIC: what happens between a route and its targets: headers, bodies, balancing, retries, health, time limits. It knows
// no lab and no gateway.
package traffic

import "github.com/unilb/unilb/conformance/spec"

// Cases returns them in the order of a report.
func Cases() []spec.Case {
	return []spec.Case{
		headersXFF,
		headersHopByHop,
		headersForwarded,
		headersConnectionShield,
		headersOrder,
		headersValues,
		headersSetCookie,
		headersLarge,
		headersStatus,
		headersDate,
		headersInterim,
		headersInterimPassed,
		passHostPass,
		passHostNode,
		passHostRewrite,
		bodyIntact,
		bodyNone,
		bodyEmpty,
		bodyEarlyAnswer,
		bodyUntilClose,
		bodyNoTransform,
		bodySlowClient,
		streamDown,
		streamUp,
		errorCut,
		errorSurplus,
		errorGarbage,
		errorNoAnswer,
		errorAllDown,
		errorClientGone,
		keepClient,
		keepBackend,
		keepIdleClosed,
		keepStaleGet,
		keepStalePost,
		timeoutRead,
		timeoutSilence,
		timeoutStall,
		timeoutConnect,
		timeoutRoute,
		timeoutSend,
		lbWeighted,
		retryConnectRefused,
		retryPostNotRepeated,
		healthDownUp,
	}
}
