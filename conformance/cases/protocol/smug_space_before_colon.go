package protocol

import "github.com/unilb/unilb/conformance/spec"

// Catches a gateway that trims the name, ignores the line or passes it on: each of
// them disagrees with one of the others about what the request says.
var smugSpaceBeforeColon = spec.Case{
	ID: "SMUG-SPACE-BEFORE-COLON", Level: spec.Must, Needs: []spec.Feature{spec.H1Syntax},
	Title: "White space between the name of a field and its colon is refused with 400.",
	Refs:  []string{"RFC 9112 5.1"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Played 0}}": 1}}}
`,
	Played: 1,
	Run: strict(
		attack{name: "a harmless field", text: lined("X-Gap : 1\r\n"), status: []int{400}, keeps: true},
		attack{name: "a length", text: hiding("Content-Length : %d\r\n", ""), status: []int{400}},
		attack{name: "a transfer coding", text: chunkHiding("Transfer-Encoding : chunked\r\n"), status: []int{400}},
		attack{name: "a tab", text: chunkHiding("Transfer-Encoding\t: chunked\r\n"), status: []int{400}},
	),
}
