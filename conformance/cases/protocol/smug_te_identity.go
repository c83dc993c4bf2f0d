package protocol

import "github.com/unilb/unilb/conformance/spec"

// Catches a gateway that still reads identity as no coding and follows the length,
// while the next hop sees a coding it must not ignore.
var smugTEIdentity = spec.Case{
	ID: "SMUG-TE-IDENTITY", Level: spec.Must, Needs: []spec.Feature{spec.H1Framing},
	Title: "The abandoned transfer coding identity is refused and the connection ends.",
	Refs:  []string{"RFC 9112 6.3", "RFC 9112 appendix C"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Played 0}}": 1}}}
`,
	Played: 1,
	Run: strict(
		attack{name: "with a length", text: hiding("Transfer-Encoding: identity\r\nContent-Length: %d\r\n", ""), status: []int{400, 501}},
		attack{name: "after chunked", text: chunkHiding("Transfer-Encoding: chunked, identity\r\n"), status: []int{400, 501}},
		attack{name: "a second line", text: chunkHiding("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n"), status: []int{400, 501}},
	),
}
