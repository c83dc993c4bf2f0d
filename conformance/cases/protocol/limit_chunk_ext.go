package protocol

import (
	"strings"

	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that reads any amount of what it drops anyway: a client keeps it
// busy without ever sending a byte of data.
var limitChunkExt = spec.Case{
	ID: "LIMIT-CHUNK-EXT", Level: spec.Should, Needs: []spec.Feature{spec.H1Limits},
	Title: "Chunk extensions without end are refused.",
	Refs:  []string{"RFC 9112 7.1.1"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Played 0}}": 1}}}
`,
	Played: 1,
	Run: strict(
		attack{name: "a mebibyte in one", text: post("Transfer-Encoding: chunked\r\n", "5;"+strings.Repeat("x", 1<<20)+"\r\nhello\r\n0\r\n\r\n")},
	),
}
