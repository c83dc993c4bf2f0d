package protocol

import "github.com/unilb/unilb/conformance/spec"

// Catches a gateway that passes any first word on: a method in which another request
// is hidden, for servers that end lines elsewhere.
var lineBadMethod = spec.Case{
	ID: "LINE-BAD-METHOD", Level: spec.Must, Needs: []spec.Feature{spec.H1Syntax},
	Title: "A request whose method is no token is refused.",
	Refs:  []string{"RFC 9110 9.1", "RFC 9112 3", "RFC 9110 2.2"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Played 0}}": 1}}}
`,
	Played: 1,
	Run: strict(
		attack{name: "a bracket", text: begun("GE(T " + attacked + " HTTP/1.1"), keeps: true},
		attack{name: "quotes", text: begun("\"GET\" " + attacked + " HTTP/1.1"), keeps: true},
		attack{name: "NUL", text: begun("GE\x00T " + attacked + " HTTP/1.1"), keeps: true},
		attack{name: "none", text: begun(" " + attacked + " HTTP/1.1"), keeps: true},
	),
}
