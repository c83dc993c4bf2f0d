package protocol

import "github.com/unilb/unilb/conformance/spec"

// Catches a gateway that skips two bytes behind the data without looking at them.
var smugChunkNoCRLF = spec.Case{
	ID: "SMUG-CHUNK-NO-CRLF", Level: spec.Must, Needs: []spec.Feature{spec.H1Framing},
	Title: "Data of a chunk without CRLF behind it are refused; no part of the body becomes a request.",
	Refs:  []string{"RFC 9112 7.1", "RFC 9110 2.2"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Played 0}}": 1}}}
`,
	Played: 1,
	Run: strict(
		attack{name: "two other bytes", text: followed("Transfer-Encoding: chunked\r\n", "5\r\nhelloXX0\r\n\r\n")},
		attack{name: "none", text: followed("Transfer-Encoding: chunked\r\n", "5\r\nhello0\r\n\r\n")},
		attack{name: "an empty size", text: followed("Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n\r\n0\r\n\r\n")},
		attack{name: "only an extension", text: followed("Transfer-Encoding: chunked\r\n", ";a\r\nhello\r\n0\r\n\r\n")},
	),
}
