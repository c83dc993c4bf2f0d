package protocol

import "github.com/unilb/unilb/conformance/spec"

// Catches a gateway that frames by the length what its neighbour frames by the
// chunks, or that passes both on: the classic way to put a request of one's own in
// front of somebody else's. Also one that goes on with the connection, on which
// the other reading of the same bytes is waiting.
var smugCLTEBoth = spec.Case{
	ID: "SMUG-CL-TE-BOTH", Level: spec.Must, Needs: []spec.Feature{spec.H1Framing},
	Title: "A request with both Content-Length and Transfer-Encoding is refused, or is read by the chunks alone and is the last one of its connection.",
	Refs:  []string{"RFC 9112 6.1", "RFC 9112 6.3", "RFC 9112 11.2"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Played 0}}": 1}}}
`,
	Played: 1,
	Run: strict(
		attack{name: "the hidden request is beyond the last chunk", text: hiding("Content-Length: %d\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), bodies: []string{""}, ends: true},
		attack{name: "the same, chunks first", text: hiding("Transfer-Encoding: chunked\r\nContent-Length: %d\r\n", "0\r\n\r\n"), bodies: []string{""}, ends: true},
		attack{name: "the hidden request is within a chunk", text: chunkHiding("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n"), bodies: []string{"{hidden}"}, ends: true},
	),
}
