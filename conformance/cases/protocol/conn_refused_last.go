package protocol

import "github.com/unilb/unilb/conformance/spec"

// Catches a gateway that answers 400 and reads on: where the next request begins is
// what the two sides do not agree on.
var connRefusedLast = spec.Case{
	ID: "CONN-REFUSED-LAST", Level: spec.Must, Needs: []spec.Feature{spec.H1Connection},
	Title: "Nothing is served behind a request whose framing was refused.",
	Refs:  []string{"RFC 9112 6.3"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Played 0}}": 1}}}
`,
	Played: 1,
	Run: strict(
		attack{name: "a length that is none", text: followed("Content-Length: abc\r\n", "")},
		attack{name: "an unknown coding", text: followed("Transfer-Encoding: abc\r\n", "")},
		attack{name: "a chunk size that is none", text: followed("Transfer-Encoding: chunked\r\n", "zz\r\n\r\n")},
	),
}
