package protocol

import "github.com/unilb/unilb/conformance/spec"

// Catches a gateway that computes with a negative length: it reads backwards, or
// takes the body for the next request.
var smugCLNegative = spec.Case{
	ID: "SMUG-CL-NEGATIVE", Level: spec.Must, Needs: []spec.Feature{spec.H1Framing},
	Title: "A negative Content-Length is refused and its connection ends.",
	Refs:  []string{"RFC 9110 8.6", "RFC 9112 6.3"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Played 0}}": 1}}}
`,
	Played: 1,
	Run: strict(
		attack{name: "minus five", text: followed("Content-Length: -5\r\n", "hello"), status: []int{400}},
		attack{name: "minus nothing", text: followed("Content-Length: -0\r\n", ""), status: []int{400}},
	),
}
