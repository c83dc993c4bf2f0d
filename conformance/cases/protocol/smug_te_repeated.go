package protocol

import "github.com/unilb/unilb/conformance/spec"

// Catches a gateway that passes a repeated coding on: the next hop may decode twice,
// or refuse to decode at all.
var smugTERepeated = spec.Case{
	ID: "SMUG-TE-REPEATED", Level: spec.Must, Needs: []spec.Feature{spec.H1Framing},
	Title: "A request that is chunked twice is refused, or arrives as one request framed once.",
	Refs:  []string{"RFC 9112 6.1", "RFC 9112 7"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Played 0}}": 1}}}
`,
	Played: 1,
	Run: strict(
		attack{name: "two lines", text: chunkHiding("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), bodies: []string{"{hidden}"}, status: []int{400, 501}},
		attack{name: "a list", text: chunkHiding("Transfer-Encoding: chunked, chunked\r\n"), bodies: []string{"{hidden}"}, status: []int{400, 501}},
	),
}
