package protocol

import "github.com/unilb/unilb/conformance/spec"

// Catches a gateway that routes by one host and tells the backend the other, and one
// that refuses what every server must accept.
var targetAbsolute = spec.Case{
	ID: "TARGET-ABSOLUTE", Level: spec.Must, Needs: []spec.Feature{spec.H1Syntax},
	Title: "A target with a scheme and a host is accepted when Host agrees; when it does not, the target wins or the request is refused.",
	Refs:  []string{"RFC 9112 3.2.2", "RFC 9112 3.2.1"},
	Objects: `
-- routes/{{.ID}} --
{"hosts": ["{{.Host}}", "other.{{.Host}}"], "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Played 0}}": 1}}}
`,
	Played: 1,
	Run: strict(
		attack{name: "Host says something else", text: absolute("other."), bodies: []string{""}, also: forHost, keeps: true},
		attack{name: "Host agrees", text: absolute(""), bodies: []string{""}, accept: true, also: forHost},
	),
}
