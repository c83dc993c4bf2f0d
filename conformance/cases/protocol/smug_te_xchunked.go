package protocol

import "github.com/unilb/unilb/conformance/spec"

// Catches a gateway that looks for the word anywhere in the value, and one that
// ignores what it does not know and passes it on.
var smugTEXchunked = spec.Case{
	ID: "SMUG-TE-XCHUNKED", Level: spec.Must, Needs: []spec.Feature{spec.H1Framing},
	Title: "A transfer coding that only looks like chunked is refused and its connection ends.",
	Refs:  []string{"RFC 9112 6.1", "RFC 9112 6.3"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Played 0}}": 1}}}
`,
	Played: 1,
	Run: strict(
		attack{name: "a letter before", text: chunkHiding("Transfer-Encoding: xchunked\r\n"), status: []int{400, 501}},
		attack{name: "a letter behind", text: chunkHiding("Transfer-Encoding: chunkedx\r\n"), status: []int{400, 501}},
		attack{name: "quoted", text: chunkHiding("Transfer-Encoding: \"chunked\"\r\n"), status: []int{400, 501}},
		attack{name: "with a length beside it", text: hiding("Transfer-Encoding: xchunked\r\nContent-Length: %d\r\n", ""), status: []int{400, 501}},
	),
}
