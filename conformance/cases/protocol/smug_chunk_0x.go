package protocol

import "github.com/unilb/unilb/conformance/spec"

// Catches a gateway that reads chunk sizes with a general routine: to one reader
// 0x5 is 5, to another it is the 0 that ends the body.
var smugChunk0x = spec.Case{
	ID: "SMUG-CHUNK-0X", Level: spec.Must, Needs: []spec.Feature{spec.H1Framing},
	Title: "A chunk size with a prefix or any byte that is no hexadecimal digit is refused, or read as the one number it can mean; no part of the body becomes a request.",
	Refs:  []string{"RFC 9112 7.1", "RFC 9110 2.2"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Played 0}}": 1}}}
`,
	Played: 1,
	Run: strict(
		attack{name: "0x", text: sized("0x%x"), bodies: []string{asSized}},
		attack{name: "0_", text: sized("0_%x"), bodies: []string{asSized}},
		attack{name: "a letter behind", text: sized("%xh")},
		attack{name: "a letter before", text: sized("h%x")},
		attack{name: "a comma", text: sized("0,%x")},
	),
}
