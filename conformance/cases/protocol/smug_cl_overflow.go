package protocol

import "github.com/unilb/unilb/conformance/spec"

// Catches a gateway whose lengths wrap around: 2^64+5 becomes 5, and what follows
// becomes the next request.
var smugCLOverflow = spec.Case{
	ID: "SMUG-CL-OVERFLOW", Level: spec.Must, Needs: []spec.Feature{spec.H1Framing},
	Title: "A Content-Length beyond what 64 bits hold is refused and its connection ends.",
	Refs:  []string{"RFC 9110 8.6", "RFC 9112 6.3"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Played 0}}": 1}}}
`,
	Played: 1,
	Run: strict(
		attack{name: "2^64+5", text: followed("Content-Length: 18446744073709551621\r\n", "hello"), status: []int{400, 413}},
		attack{name: "30 digits", text: followed("Content-Length: 340282366920938463463374607431\r\n", "hello"), status: []int{400, 413}},
	),
}
