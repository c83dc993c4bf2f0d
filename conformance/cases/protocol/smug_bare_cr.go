package protocol

import "github.com/unilb/unilb/conformance/spec"

// Catches a gateway that passes a bare CR on: some backends end the line there, and a
// field appears that the gateway has never checked.
var smugBareCR = spec.Case{
	ID: "SMUG-BARE-CR", Level: spec.Must, Needs: []spec.Feature{spec.H1Syntax},
	Title: "A bare CR within a head is refused, or becomes a blank before the request is passed on.",
	Refs:  []string{"RFC 9112 2.2", "RFC 9110 5.5"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Played 0}}": 1}}}
`,
	Played: 1,
	Run: strict(
		attack{name: "a hidden field", text: lined("X-Bare: one\rX-Smuggled: two\r\n"), bodies: []string{""}, also: lacks("X-Smuggled")},
		attack{name: "a hidden coding", text: lined("X-Bare: one\rTransfer-Encoding: chunked\r\n"), bodies: []string{""}, also: lacks("Transfer-Encoding")},
		attack{name: "in the request line", text: begun("GET " + attacked + "\r HTTP/1.1")},
	),
}
