package protocol

import "github.com/unilb/unilb/conformance/spec"

// Catches a gateway that lets any byte into names: what one server maps to a harmless
// name is another field to the next.
var smugNameNotToken = spec.Case{
	ID: "SMUG-NAME-NOT-TOKEN", Level: spec.Must, Needs: []spec.Feature{spec.H1Syntax},
	Title: "A field whose name is no token is refused or dropped, and never passed on.",
	Refs:  []string{"RFC 9110 5.1", "RFC 9110 5.6.2", "RFC 9110 2.2"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Played 0}}": 1}}}
`,
	Played: 1,
	Run: strict(
		attack{name: "a blank", text: lined("X Gap: 1\r\n"), bodies: []string{""}},
		attack{name: "a bracket", text: lined("X(Gap: 1\r\n"), bodies: []string{""}},
		attack{name: "beyond ASCII", text: lined("X-\xffGap: 1\r\n"), bodies: []string{""}},
		attack{name: "NUL", text: lined("X-\x00Gap: 1\r\n"), bodies: []string{""}},
	),
}
