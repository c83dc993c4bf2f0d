package protocol

import "github.com/unilb/unilb/conformance/spec"

// Catches a gateway that takes an empty length for none and passes it on, or that
// reads the body as the next request.
var smugCLEmpty = spec.Case{
	ID: "SMUG-CL-EMPTY", Level: spec.Must, Needs: []spec.Feature{spec.H1Framing},
	Title: "A Content-Length without a number is refused and its connection ends.",
	Refs:  []string{"RFC 9110 8.6", "RFC 9112 6.3"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Played 0}}": 1}}}
`,
	Played: 1,
	Run: strict(
		attack{name: "nothing", text: followed("Content-Length:\r\n", ""), status: []int{400}},
		attack{name: "blanks", text: followed("Content-Length: \t \r\n", ""), status: []int{400}},
		attack{name: "a comma", text: followed("Content-Length: ,\r\n", ""), status: []int{400}},
	),
}
