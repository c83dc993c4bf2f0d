package protocol

import "github.com/unilb/unilb/conformance/spec"

// Catches a gateway that refuses the request behind an empty line, which some clients
// send after a body.
var lineLeadingCRLF = spec.Case{
	ID: "LINE-LEADING-CRLF", Level: spec.Should, Needs: []spec.Feature{spec.H1Syntax},
	Title: "An empty line before the request line is passed over.",
	Refs:  []string{"RFC 9112 2.2"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Played 0}}": 1}}}
`,
	Played: 1,
	Run: strict(
		attack{name: "one empty line", text: before("\r\n"), bodies: []string{""}, accept: true},
	),
}
