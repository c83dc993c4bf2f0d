package protocol

import "github.com/unilb/unilb/conformance/spec"

// Catches a gateway that sees chunked somewhere in the list and one that sees the
// last coding only: they disagree about where the body ends.
var smugTENotLast = spec.Case{
	ID: "SMUG-TE-NOT-LAST", Level: spec.Must, Needs: []spec.Feature{spec.H1Framing},
	Title: "A request whose last transfer coding is not chunked is refused and its connection ends.",
	Refs:  []string{"RFC 9112 6.3"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Played 0}}": 1}}}
`,
	Played: 1,
	Run: strict(
		attack{name: "chunked, gzip", text: chunkHiding("Transfer-Encoding: chunked, gzip\r\n"), status: []int{400, 501}},
		attack{name: "two lines", text: chunkHiding("Transfer-Encoding: chunked\r\nTransfer-Encoding: gzip\r\n"), status: []int{400, 501}},
		attack{name: "with a length beside it", text: hiding("Transfer-Encoding: chunked, x\r\nContent-Length: %d\r\n", "0\r\n\r\n"), status: []int{400, 501}},
	),
}
