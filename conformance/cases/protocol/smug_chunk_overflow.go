package protocol

import "github.com/unilb/unilb/conformance/spec"

// Catches a gateway whose chunk sizes wrap around: 2^64+5 becomes 5, and the data that
// the attacker announced becomes the next request.
var smugChunkOverflow = spec.Case{
	ID: "SMUG-CHUNK-OVERFLOW", Level: spec.Must, Needs: []spec.Feature{spec.H1Framing},
	Title: "A chunk size beyond what 64 bits hold is refused; no part of the body becomes a request.",
	Refs:  []string{"RFC 9112 7.1"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Played 0}}": 1}}}
`,
	Played: 1,
	Run: strict(
		attack{name: "2^64+5", text: followed("Transfer-Encoding: chunked\r\n", "10000000000000005\r\nhello\r\n0\r\n\r\n")},
		attack{name: "2^64", text: followed("Transfer-Encoding: chunked\r\n", "10000000000000000\r\n\r\n")},
		attack{name: "2^32+5", text: followed("Transfer-Encoding: chunked\r\n", "100000005\r\nhello\r\n0\r\n\r\n"), cut: true},
	),
}
