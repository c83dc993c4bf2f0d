package protocol

import "github.com/unilb/unilb/conformance/spec"

// Catches a gateway that takes such a line for a field, or adds it to the request
// line.
var smugLeadingSpace = spec.Case{
	ID: "SMUG-LEADING-SPACE", Level: spec.Must, Needs: []spec.Feature{spec.H1Syntax},
	Title: "A line that begins with white space right behind the request line is refused or dropped.",
	Refs:  []string{"RFC 9112 2.2"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Played 0}}": 1}}}
`,
	Played: 1,
	Run: strict(
		attack{name: "a field", text: leading(" X-Smuggled: 1\r\n"), bodies: []string{""}, also: lacks("X-Smuggled")},
		attack{name: "another Host", text: leading(" Host: other.example\r\n"), bodies: []string{""}},
		attack{name: "a tab", text: leading("\tX-Smuggled: 1\r\n"), bodies: []string{""}, also: lacks("X-Smuggled")},
	),
}
