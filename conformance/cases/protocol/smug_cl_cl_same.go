package protocol

import "github.com/unilb/unilb/conformance/spec"

// Catches a gateway that passes a repeated length on. To accept it is allowed, but
// then it has to be made one.
var smugCLCLSame = spec.Case{
	ID: "SMUG-CL-CL-SAME", Level: spec.Must, Needs: []spec.Feature{spec.H1Framing},
	Title: "A request that tells one length twice is refused, or arrives with one Content-Length.",
	Refs:  []string{"RFC 9110 8.6", "RFC 9112 6.3"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Played 0}}": 1}}}
`,
	Played: 1,
	Run: strict(
		attack{name: "two equal lines", text: post("Content-Length: 5\r\nContent-Length: 5\r\n", "hello"), bodies: []string{"hello"}},
	),
}
