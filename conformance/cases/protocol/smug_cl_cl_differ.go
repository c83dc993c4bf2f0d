package protocol

import "github.com/unilb/unilb/conformance/spec"

// Catches a gateway that takes the first of two lengths, or the last, when the next
// hop takes the other.
var smugCLCLDiffer = spec.Case{
	ID: "SMUG-CL-CL-DIFFER", Level: spec.Must, Needs: []spec.Feature{spec.H1Framing},
	Title: "A request with two lengths that differ is refused and its connection ends.",
	Refs:  []string{"RFC 9112 6.3", "RFC 9110 8.6"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Played 0}}": 1}}}
`,
	Played: 1,
	Run: strict(
		attack{name: "the first is right", text: hiding("Content-Length: %d\r\nContent-Length: 0\r\n", ""), status: []int{400}},
		attack{name: "the last is right", text: hiding("Content-Length: 0\r\nContent-Length: %d\r\n", ""), status: []int{400}},
		attack{name: "other case of the name", text: hiding("content-length: 0\r\nCONTENT-LENGTH: %d\r\n", ""), status: []int{400}},
	),
}
