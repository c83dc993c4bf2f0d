package protocol

import "github.com/unilb/unilb/conformance/spec"

// Catches a gateway that connects anybody to anything behind it.
var targetConnect = spec.Case{
	ID: "TARGET-CONNECT", Level: spec.Should, Needs: []spec.Feature{spec.H1Syntax},
	Title: "CONNECT makes no tunnel through a gateway for websites; it is refused.",
	Refs:  []string{"RFC 9110 9.3.6"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Played 0}}": 1}}}
`,
	Played: 1,
	Run: strict(
		attack{name: "an address", text: begun("CONNECT 127.0.0.1:80 HTTP/1.1"), keeps: true},
		attack{name: "a path", text: begun("CONNECT " + attacked + " HTTP/1.1"), keeps: true},
	),
}
