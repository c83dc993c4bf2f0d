package traffic

import (
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/traffic"
)

// Catches a gateway that keeps a connection to its target for each client: many
// clients with one request each, as phones are, cost a handshake each all the same.
// A gateway may be careful with them (haproxy is, unless told), so this is no must.
var keepBackendShared = keepCase(spec.Case{
	ID: "KEEP-BACKEND-SHARED", Level: spec.Should,
	Title: "Sixty requests, each on a connection of its own from the client, need at most twenty connections to the backend.",
	Refs:  []string{"APISIX 3.18 upstream.keepalive_pool (320 connections for each worker)"},
}, traffic.ConnPolicy{})
