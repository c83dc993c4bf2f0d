package protocol

import "github.com/unilb/unilb/conformance/spec"

// Catches a gateway that passes NUL, DEL or a tab in targets on, or routes by what
// stands before them.
var targetControl = spec.Case{
	ID: "TARGET-CONTROL", Level: spec.Must, Needs: []spec.Feature{spec.H1Syntax},
	Title: "A target with control bytes is refused.",
	Refs:  []string{"RFC 9112 3.2", "RFC 3986 2", "RFC 9110 2.2"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Played 0}}": 1}}}
`,
	Played: 1,
	Run: strict(
		attack{name: "NUL", text: begun("GET " + attacked + "\x00/b HTTP/1.1"), keeps: true},
		attack{name: "DEL", text: begun("GET " + attacked + "\x7f HTTP/1.1"), keeps: true},
		attack{name: "a tab", text: begun("GET " + attacked + "\t/b HTTP/1.1"), keeps: true},
	),
}
