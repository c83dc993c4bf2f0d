package protocol

import "github.com/unilb/unilb/conformance/spec"

// Catches a gateway that reads a list of lengths up to the comma and passes the
// whole list on.
var smugCLList = spec.Case{
	ID: "SMUG-CL-LIST", Level: spec.Must, Needs: []spec.Feature{spec.H1Framing},
	Title: "A Content-Length that lists the same number twice is refused or becomes one number; one that lists different numbers is refused.",
	Refs:  []string{"RFC 9110 8.6", "RFC 9112 6.3"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Played 0}}": 1}}}
`,
	Played: 1,
	Run: strict(
		attack{name: "equal numbers", text: post("Content-Length: 5, 5\r\n", "hello"), bodies: []string{"hello"}, status: []int{400}},
		attack{name: "different numbers", text: hiding("Content-Length: 0, %d\r\n", ""), status: []int{400}},
		attack{name: "different numbers, turned", text: hiding("Content-Length: %d, 0\r\n", ""), status: []int{400}},
	),
}
