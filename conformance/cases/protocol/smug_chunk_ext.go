package protocol

import "github.com/unilb/unilb/conformance/spec"

// Catches a gateway that takes an extension for data, or refuses what every recipient
// must be able to ignore.
var smugChunkExt = spec.Case{
	ID: "SMUG-CHUNK-EXT", Level: spec.Must, Needs: []spec.Feature{spec.H1Framing},
	Title: "Chunk extensions are ignored or passed on as they are, and change nothing of the body.",
	Refs:  []string{"RFC 9112 7.1.1"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Played 0}}": 1}}}
`,
	Played: 1,
	Run: strict(
		attack{name: "a name", text: post("Transfer-Encoding: chunked\r\n", "5;last\r\nhello\r\n0\r\n\r\n"), bodies: []string{"hello"}, accept: true},
		attack{name: "a quoted value", text: post("Transfer-Encoding: chunked\r\n", "5;a=\"b\"\r\nhello\r\n0;c=d\r\n\r\n"), bodies: []string{"hello"}, accept: true},
	),
}
