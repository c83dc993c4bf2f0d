package protocol

import "github.com/unilb/unilb/conformance/spec"

// Catches a gateway that reads +5 as 5 or -1 as a very large number.
var smugChunkSign = spec.Case{
	ID: "SMUG-CHUNK-SIGN", Level: spec.Must, Needs: []spec.Feature{spec.H1Framing},
	Title: "A chunk size with a minus sign is refused, and one with a plus sign is refused or read as the number; no part of the body becomes a request.",
	Refs:  []string{"RFC 9112 7.1", "RFC 9110 2.2"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Played 0}}": 1}}}
`,
	Played: 1,
	Run: strict(
		attack{name: "plus", text: sized("+%x"), bodies: []string{asSized}},
		attack{name: "minus", text: sized("-%x")},
		attack{name: "minus one", text: followed("Transfer-Encoding: chunked\r\n", "-1\r\n\r\n")},
		attack{name: "minus nothing", text: followed("Transfer-Encoding: chunked\r\n", "-0\r\n\r\n")},
	),
}
