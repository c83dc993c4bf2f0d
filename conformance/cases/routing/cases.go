// Package routing owns the cases of the profile L7-ROUTING: which route a request takes: hosts, paths, methods, precedence. It knows
// no lab and no gateway.
package routing

import "github.com/unilb/unilb/conformance/spec"

// Cases returns them in the order of a report.
func Cases() []spec.Case {
	return []spec.Case{
		routeExact,
		routePrefix,
		routePrefixLongest,
		routeExactOverPrefix,
		routeRoot,
		routeTrailingSlash,
		routePathLiteral,
		routeQuery,
		routeUris,
		routeMany,
		routeHost,
		routeHostWildcard,
		routeHostFallthrough,
		routeHostOverPath,
		routeHostLadder,
		routeHostStar,
		routeHosts,
		routeHostsUris,
		routeHostPort,
		routeHostDot,
		routeHostAddress,
		routeAbsoluteForm,
		routeAbsoluteWins,
		routeAbsoluteEmpty,
		routeAbsoluteHostSent,
		routeNoOverride,
		routePathMalformed,
		routeMethod,
		routeMethodsAll,
		routeMethodUnknown,
		routeMethodCase,
		routeMethodOptions,
		routePriority,
		routePriorityConditions,
		routePriorityWide,
		routeEqualSame,
		routeEqualOlder,
		routeReplaced,
		routeDeleteUncovers,
		routePathDecoded,
		routeEncodedSlash,
		routeDotSegments,
		routeSlashesMerged,
		routeStarInside,
		routeNone404,
		routeNoneAsAPISIX,
	}
}
