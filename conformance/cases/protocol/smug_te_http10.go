package protocol

import "github.com/unilb/unilb/conformance/spec"

// Catches a gateway that keeps such a connection: whatever stands in front of it
// and knows no chunks has put the end of the request elsewhere.
var smugTEHTTP10 = spec.Case{
	ID: "SMUG-TE-HTTP10", Level: spec.Must, Needs: []spec.Feature{spec.H1Framing},
	Title: "An HTTP/1.0 request with Transfer-Encoding is refused, or is the last one of its connection.",
	Refs:  []string{"RFC 9112 6.1"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Played 0}}": 1}}}
`,
	Played: 1,
	Run: strict(
		attack{name: "with keep-alive", text: oldChunks("Connection: keep-alive\r\nTransfer-Encoding: chunked\r\n"), bodies: []string{"", "{hidden}"}, ends: true},
		attack{name: "with keep-alive and a length", text: oldHiding("Connection: keep-alive\r\nTransfer-Encoding: chunked\r\nContent-Length: %d\r\n"), bodies: []string{"", "0\r\n\r\n{hidden}"}, ends: true},
	),
}
