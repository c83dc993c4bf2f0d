package protocol

import "github.com/unilb/unilb/conformance/spec"

// Catches a gateway that ends the size at a blank and reads the rest as data, and one
// that passes the blank on.
var smugChunkSpace = spec.Case{
	ID: "SMUG-CHUNK-SPACE", Level: spec.Must, Needs: []spec.Feature{spec.H1Framing},
	Title: "White space around a chunk size leaves one request with one body, or the request is refused.",
	Refs:  []string{"RFC 9112 7.1", "RFC 9112 7.1.1"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Played 0}}": 1}}}
`,
	Played: 1,
	Run: strict(
		attack{name: "behind", text: post("Transfer-Encoding: chunked\r\n", "5 \r\nhello\r\n0\r\n\r\n"), bodies: []string{"hello"}},
		attack{name: "before", text: sized(" %x"), bodies: []string{asSized}},
		attack{name: "a tab behind", text: post("Transfer-Encoding: chunked\r\n", "5\t\r\nhello\r\n0\r\n\r\n"), bodies: []string{"hello"}},
		attack{name: "before an extension", text: post("Transfer-Encoding: chunked\r\n", "5 ;a=b\r\nhello\r\n0\r\n\r\n"), bodies: []string{"hello"}},
		attack{name: "between the digits", text: sized("0 %x")},
	),
}
