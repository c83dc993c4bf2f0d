package protocol

import "github.com/unilb/unilb/conformance/spec"

// Catches a gateway that compares the value byte by byte and so takes a chunked
// body for the next request.
var smugTETab = spec.Case{
	ID: "SMUG-TE-TAB", Level: spec.Must, Needs: []spec.Feature{spec.H1Framing},
	Title: "White space around chunked and the case of its letters do not matter: the body is read by its chunks.",
	Refs:  []string{"RFC 9110 5.5", "RFC 9112 7"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Played 0}}": 1}}}
`,
	Played: 1,
	Run: strict(
		attack{name: "a tab before", text: chunkHiding("Transfer-Encoding:\tchunked\r\n"), bodies: []string{"{hidden}"}, accept: true},
		attack{name: "blanks behind", text: chunkHiding("Transfer-Encoding: chunked \t\r\n"), bodies: []string{"{hidden}"}, accept: true},
		attack{name: "no blank", text: chunkHiding("Transfer-Encoding:chunked\r\n"), bodies: []string{"{hidden}"}, accept: true},
		attack{name: "mixed letters", text: chunkHiding("tRANSFER-eNCODING: ChUnKeD\r\n"), bodies: []string{"{hidden}"}, accept: true},
	),
}
