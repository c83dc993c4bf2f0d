// Package tls owns the cases of the profile TLS: certificates, versions and what TLS negotiates. It knows
// no lab and no gateway.
package tls

import "github.com/unilb/unilb/conformance/spec"

// Cases returns them in the order of a report.
func Cases() []spec.Case {
	return []spec.Case{
		tlsSNIExact,
		tlsSNICase,
		tlsSNIWildcard,
		tlsSNIExactOverWildcard,
		tlsSNIUnknown,
		tlsSNINone,
		tlsHostDiffers,
		tlsChain,
		tlsPairs,
		tlsVersions,
		tlsVars,
		tlsVarsClient,
		tlsVersionsOld,
		tlsCiphersRC4,
		tlsCiphersShort,
		tlsHelloSplit,
		tlsHelloLarge,
		tlsSlowHandshake,
		tlsPlainHTTP,
		tlsForwardedProto,
		tlsBodyIntact,
		tlsCloseNotify,
		tlsResumeName,
		tlsALPNHTTP1,
		tlsALPNH2,
		tlsALPNUnknown,
		tlsRotate,
		tlsCertDelete,
		tlsClientCert,
		tlsClientCertByHost,
		tlsClientCertSkip,
		tlsClientCertLater,
		tlsResumeClientCert,
		tlsStatus,
		tlsProtocols,
		tlsOCSPGood,
		tlsOCSPBad,
		tlsOCSPEnd,
		tlsSecretVault,
		tlsSecretRefused,
		tlsSecretEnv,
		tlsUpstream,
		tlsUpstreamVerify,
		tlsUpstreamClientCert,
	}
}
