// Package protocol owns the cases of the profile L7-PROTOCOL: how strictly a gateway speaks HTTP/1.1 and what it upgrades to. It knows
// no lab and no gateway.
package protocol

import "github.com/unilb/unilb/conformance/spec"

// Cases returns them in the order of a report.
func Cases() []spec.Case {
	return nil
}
