package traffic

import "github.com/unilb/unilb/conformance/spec"

// Catches a gateway that ignores pass_host, or adds to a name that stands in the
// upstream what the client sent.
var passHostRewrite = hostCase(spec.Case{
	ID: "HOST-REWRITE", Needs: []spec.Feature{spec.UpstreamPassHost},
	Title: "With pass_host rewrite the backend sees the upstream's upstream_host, whatever the client sent.",
	Refs:  []string{"APISIX 3.18 upstream.pass_host rewrite"},
}, `, "pass_host": "rewrite", "upstream_host": "inner.example"`, func(*spec.T, string) string { return "inner.example" })
