package protocol

import "github.com/unilb/unilb/conformance/spec"

// Catches a gateway whose room for targets is less than what everybody may rely on.
var limitTarget8000 = spec.Case{
	ID: "LIMIT-TARGET-8000", Level: spec.Should, Needs: []spec.Feature{spec.H1Limits},
	Title: "A target of 8000 bytes arrives.",
	Refs:  []string{"RFC 9110 4.1"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Played 0}}": 1}}}
`,
	Played: 1,
	Run: strict(
		attack{name: "a query", text: farTarget(8000), bodies: []string{""}, accept: true, also: reaches(8000)},
	),
}
