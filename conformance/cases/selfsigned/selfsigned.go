// Package selfsigned owns the certificates of cases that do not look at who signed them.
package selfsigned

import (
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/pki"
)

// Certificate makes one for the case's host, and its key, both as PEM. Nobody has a reason
// to trust it. What goes wrong ends the case as broken.
func Certificate(t *spec.T) (cert, key string) {
	p, err := pki.SelfSigned(t.Host())
	if err != nil {
		t.Brokenf("make a certificate: %v", err)
	}
	return p.Cert, p.Key
}
