package protocol

import "github.com/unilb/unilb/conformance/spec"

// Catches a gateway that reads lengths with a routine that knows prefixes, points
// and exponents, where the next hop stops at the first letter.
var smugCLHex = spec.Case{
	ID: "SMUG-CL-HEX", Level: spec.Must, Needs: []spec.Feature{spec.H1Framing},
	Title: "A Content-Length in any notation but plain decimal digits is refused and its connection ends.",
	Refs:  []string{"RFC 9110 8.6", "RFC 9112 6.3"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Played 0}}": 1}}}
`,
	Played: 1,
	Run: strict(
		attack{name: "hexadecimal with a prefix", text: hiding("Content-Length: 0x%x\r\n", ""), status: []int{400}},
		attack{name: "hexadecimal without", text: post("Content-Length: a\r\n", "0123456789"), status: []int{400}},
		attack{name: "an exponent", text: hiding("Content-Length: %de0\r\n", ""), status: []int{400}},
		attack{name: "a fraction", text: hiding("Content-Length: %d.0\r\n", ""), status: []int{400}},
		attack{name: "a separator", text: hiding("Content-Length: 0_%d\r\n", ""), status: []int{400}},
	),
}
