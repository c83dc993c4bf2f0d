package protocol

import "github.com/unilb/unilb/conformance/spec"

// Catches a gateway that passes on a target that is no path: the backend reads it as
// it likes.
var targetAuthority = spec.Case{
	ID: "TARGET-AUTHORITY", Level: spec.Should, Needs: []spec.Feature{spec.H1Syntax},
	Title: "A target of another form than the method allows is refused.",
	Refs:  []string{"RFC 9112 3.2.3", "RFC 9112 3.2.4", "RFC 9112 3.2"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Played 0}}": 1}}}
`,
	Played: 1,
	Run: strict(
		attack{name: "host and port", text: begun("GET other.example:80 HTTP/1.1"), keeps: true},
		attack{name: "an asterisk", text: begun("GET * HTTP/1.1"), keeps: true},
		attack{name: "no slash", text: begun("GET smuggled HTTP/1.1"), keeps: true},
	),
}
