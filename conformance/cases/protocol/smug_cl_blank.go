package protocol

import "github.com/unilb/unilb/conformance/spec"

// Catches a gateway that reads a length up to the first blank, or leaves blanks
// out.
var smugCLBlank = spec.Case{
	ID: "SMUG-CL-BLANK", Level: spec.Must, Needs: []spec.Feature{spec.H1Framing},
	Title: "A Content-Length with a blank between its digits is refused and its connection ends.",
	Refs:  []string{"RFC 9110 8.6", "RFC 9112 6.3"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Played 0}}": 1}}}
`,
	Played: 1,
	Run: strict(
		attack{name: "digits apart", text: hiding("Content-Length: 0 %d\r\n", ""), status: []int{400}},
		attack{name: "a form feed", text: hiding("Content-Length: \x0c%d\r\n", ""), status: []int{400}},
	),
}
