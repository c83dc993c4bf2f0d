// Package admin owns the cases of the profile ADMIN-APISIX: the Admin API in the APISIX dialect. It knows
// no lab and no gateway.
package admin

import "github.com/unilb/unilb/conformance/spec"

// Cases returns them in the order of a report.
func Cases() []spec.Case {
	return []spec.Case{
		adminEnvelope,
		adminListEmpty,
		adminPost,
		adminIDs,
		adminTimestamps,
		adminTextUnchanged,
		adminNumbersUnchanged,
		adminReadYourWrites,
		adminDeleteRace,
		adminTTL,
		adminBadKey,
		adminAuthPlaces,
		adminLiveness,
		adminCORS,
		adminContentType,
		adminUnknownResource,
		adminBadBody,
		adminBadJSON,
		adminBadJSONPosition,
		adminBodyLimit,
		adminPatchMerge,
		adminPatchSubPath,
		adminPatchInvalid,
		adminPluginSecrets,
		adminRefUnknown,
		adminRefInUse,
		adminRefForce,
		adminListPage,
		adminListFilter,
		adminListByReference,
		adminIfMatch,
		adminTwoWriters,
		adminSSLKeyHidden,
		adminSSLBad,
		adminSchema,
		adminSchemaValidate,
		adminKinds,
		adminMethodNotAllowed,
	}
}
