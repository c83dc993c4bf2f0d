package protocol

import "github.com/unilb/unilb/conformance/spec"

// Catches a gateway that passes such lines on: the tolerance for bare LF is for heads
// alone.
var smugChunkBareLF = spec.Case{
	ID: "SMUG-CHUNK-BARE-LF", Level: spec.Must, Needs: []spec.Feature{spec.H1Framing},
	Title: "Chunk lines that end in a bare LF are refused, or arrive as one request with clean chunks.",
	Refs:  []string{"RFC 9112 7.1", "RFC 9112 2.2"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Played 0}}": 1}}}
`,
	Played: 1,
	Run: strict(
		attack{name: "after the size", text: post("Transfer-Encoding: chunked\r\n", "5\nhello\r\n0\r\n\r\n"), bodies: []string{"hello"}},
		attack{name: "after the data", text: post("Transfer-Encoding: chunked\r\n", "5\r\nhello\n0\r\n\r\n"), bodies: []string{"hello"}},
		attack{name: "everywhere", text: post("Transfer-Encoding: chunked\r\n", "5\nhello\n0\n\n"), bodies: []string{"hello"}},
	),
}
