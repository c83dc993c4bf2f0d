package traffic

import (
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/traffic"
)

// Catches a gateway that connects to its target for every request: under load it
// runs out of ports, and every request pays a handshake.
var keepBackend = keepCase(spec.Case{
	ID: "KEEP-BACKEND", Level: spec.Must,
	Title: "Sixty requests on one connection of a client need at most twenty connections to the backend.",
	Refs:  []string{"APISIX 3.18 upstream.keepalive_pool (320 connections for each worker)", "RFC 9112 9.3"},
}, traffic.ConnPolicy{Keep: 1})
