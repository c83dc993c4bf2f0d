// Package cases owns the list of the statements about gateways that this project
// holds to be true and tries to refute. A package below it holds the cases of one
// profile; one case is one value in a file of its own, with the Admin objects it
// needs as a txtar archive.
//
// Cases know no lab and no gateway; they use spec.T and spec.Env. They share no
// names, objects or backends. The comment above each says which broken gateway
// it would catch.
package cases

import (
	"slices"

	"github.com/unilb/unilb/conformance/cases/admin"
	"github.com/unilb/unilb/conformance/cases/control"
	"github.com/unilb/unilb/conformance/cases/h2"
	"github.com/unilb/unilb/conformance/cases/ha"
	"github.com/unilb/unilb/conformance/cases/l4"
	"github.com/unilb/unilb/conformance/cases/protocol"
	"github.com/unilb/unilb/conformance/cases/proxied"
	"github.com/unilb/unilb/conformance/cases/reload"
	"github.com/unilb/unilb/conformance/cases/routing"
	"github.com/unilb/unilb/conformance/cases/tls"
	"github.com/unilb/unilb/conformance/cases/traffic"
	"github.com/unilb/unilb/conformance/cases/vpc"
	"github.com/unilb/unilb/conformance/spec"
)

// All returns every case, in the order of a report.
func All() []spec.Case {
	return slices.Concat(
		routing.Cases(), traffic.Cases(), proxied.Cases(), reload.Cases(), protocol.Cases(), h2.Cases(), tls.Cases(),
		admin.Cases(), control.Cases(), vpc.Cases(), l4.Cases(), ha.Cases(),
	)
}
