// Package h2 owns the cases of the profile L7-PROTOCOL that are about HTTP/2 towards
// clients: streams, windows, what a request is and what is none, and what a client may
// not cost. It knows no lab and no gateway.
package h2

import "github.com/unilb/unilb/conformance/spec"

// Cases returns them in the order of a report.
func Cases() []spec.Case {
	return []spec.Case{
		streamsOwn,
		streamsSlow,
		bodies,
		windows,
		windowsShut,
		noBody,
		cookies,
		hostSent,
		hostDiffers,
		fieldsConnection,
		fieldsPseudo,
		fieldsNames,
		fieldsValues,
		lengthDiffers,
		trailerNotMerged,
		trailerPassed,
		interim,
		clientReset,
		floodResets,
		floodSettings,
		floodContinuation,
		cleartext,
	}
}
