package protocol

import "github.com/unilb/unilb/conformance/spec"

// Catches a gateway that takes a bare LF for a part of the value and passes it on: the
// backend may end the line there.
var lineBareLF = spec.Case{
	ID: "LINE-BARE-LF", Level: spec.Must, Needs: []spec.Feature{spec.H1Syntax},
	Title: "A head whose lines end in a bare LF is refused, or arrives with CRLF.",
	Refs:  []string{"RFC 9112 2.2"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Played 0}}": 1}}}
`,
	Played: 1,
	Run: strict(
		attack{name: "all lines", text: bareLF(lined("X-Public: 1\r\n")), bodies: []string{""}},
		attack{name: "one field", text: lined("X-Bare: one\nX-Public: two\r\n"), bodies: []string{""}},
	),
}
