package protocol

import "github.com/unilb/unilb/conformance/spec"

// Catches a gateway that passes a field without a name on; some servers take such a
// line for the end of the head, others drop it.
var smugEmptyName = spec.Case{
	ID: "SMUG-EMPTY-NAME", Level: spec.Must, Needs: []spec.Feature{spec.H1Syntax},
	Title: "A field line that begins with its colon is refused or dropped, and never passed on.",
	Refs:  []string{"RFC 9112 5", "RFC 9110 5.1"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Played 0}}": 1}}}
`,
	Played: 1,
	Run: strict(
		attack{name: "a value alone", text: lined(": value\r\n"), bodies: []string{""}},
		attack{name: "what looks like a field", text: lined(":X-Smuggled: 1\r\n"), bodies: []string{""}, also: lacks("X-Smuggled")},
	),
}
