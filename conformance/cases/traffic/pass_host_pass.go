package traffic

import "github.com/unilb/unilb/conformance/spec"

// Catches a gateway that tells backends its own name or that of the upstream, or
// that takes the port off: links and redirects then lead elsewhere.
var passHostPass = hostCase(spec.Case{
	ID: "HOST-PASS", Needs: []spec.Feature{spec.ProxyHeaders},
	Title: "Unless the upstream says otherwise the backend sees the Host that the client sent, with the port if it had one.",
	Refs:  []string{"APISIX 3.18 upstream.pass_host pass", "RFC 9110 7.2"},
}, "", func(_ *spec.T, sent string) string { return sent })
