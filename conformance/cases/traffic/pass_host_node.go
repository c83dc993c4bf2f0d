package traffic

import "github.com/unilb/unilb/conformance/spec"

// Catches a gateway that ignores pass_host: a backend that serves by name answers
// 404 to everything.
var passHostNode = hostCase(spec.Case{
	ID: "HOST-NODE", Needs: []spec.Feature{spec.UpstreamPassHost},
	Title: "With pass_host node the backend sees its own host and port, whatever the client sent.",
	Refs:  []string{"APISIX 3.18 upstream.pass_host node"},
}, `, "pass_host": "node"`, func(t *spec.T, _ string) string { return t.Backend(0).Addr.String() })
