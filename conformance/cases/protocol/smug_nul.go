package protocol

import "github.com/unilb/unilb/conformance/spec"

// Catches a gateway that passes NUL on, or ends the value there: what its checks saw
// is not what the backend sees.
var smugNUL = spec.Case{
	ID: "SMUG-NUL", Level: spec.Must, Needs: []spec.Feature{spec.H1Syntax},
	Title: "NUL within a field value is refused, or becomes a blank before the request is passed on.",
	Refs:  []string{"RFC 9110 5.5"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Played 0}}": 1}}}
`,
	Played: 1,
	Run: strict(
		attack{name: "in the middle", text: lined("X-Nul: one\x00two\r\n"), bodies: []string{""}, also: holds("X-Nul", "one", "two")},
		attack{name: "at the end", text: lined("X-Nul: one\x00\r\n"), bodies: []string{""}, also: holds("X-Nul", "one")},
		attack{name: "in a length", text: hiding("Content-Length: %d\x00\r\n", ""), status: []int{400}},
	),
}
