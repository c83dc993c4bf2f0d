package protocol

import "github.com/unilb/unilb/conformance/spec"

// Catches a gateway that guesses where such a request belongs.
var hostMissing = spec.Case{
	ID: "HOST-MISSING", Level: spec.Must, Needs: []spec.Feature{spec.H1Syntax},
	Title: "An HTTP/1.1 request without Host is answered 400.",
	Refs:  []string{"RFC 9112 3.2"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Played 0}}": 1}}}
`,
	Played: 1,
	Run: strict(
		attack{name: "no Host", text: hosts(), status: []int{400}, keeps: true},
	),
}
