package protocol

import "github.com/unilb/unilb/conformance/spec"

// Catches a gateway that passes on what it does not understand.
var smugHeaderNoColon = spec.Case{
	ID: "SMUG-HEADER-NO-COLON", Level: spec.Must, Needs: []spec.Feature{spec.H1Syntax},
	Title: "A field line without a colon is refused, dropped or made a proper field, and never passed on as it is.",
	Refs:  []string{"RFC 9112 5", "RFC 9110 2.2"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Played 0}}": 1}}}
`,
	Played: 1,
	Run: strict(
		attack{name: "words", text: lined("no colon here\r\n"), bodies: []string{""}},
		attack{name: "one word", text: lined("X-Lonely\r\n"), bodies: []string{""}},
	),
}
