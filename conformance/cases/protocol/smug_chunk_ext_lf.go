package protocol

import "github.com/unilb/unilb/conformance/spec"

// Catches a gateway that skips extensions up to any LF, when the next reader skips
// them up to CRLF: what one takes for data is the other's chunk, and the request
// behind it.
var smugChunkExtLF = spec.Case{
	ID: "SMUG-CHUNK-EXT-LF", Level: spec.Must, Needs: []spec.Feature{spec.H1Framing},
	Title: "A bare LF or CR within a chunk extension is refused, or ends the line; what follows it never becomes a request.",
	Refs:  []string{"RFC 9112 7.1.1", "RFC 9112 2.2", "RFC 9110 2.2"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Played 0}}": 1}}}
`,
	Played: 1,
	Run: strict(
		attack{name: "two bytes or a request", text: extension("\n"), bodies: []string{"xx0\r\n\r\n{hidden}"}},
		attack{name: "a bare CR", text: extension("\r"), bodies: []string{"xx0\r\n\r\n{hidden}"}},
	),
}
