package protocol

import "github.com/unilb/unilb/conformance/spec"

// Catches a gateway that trims what its language calls a space: vertical tab, form
// feed, a blank of Unicode.
var smugTEVT = spec.Case{
	ID: "SMUG-TE-VT", Level: spec.Must, Needs: []spec.Feature{spec.H1Framing},
	Title: "Bytes around chunked that are no white space of HTTP make it an unknown coding: the request is refused and its connection ends.",
	Refs:  []string{"RFC 9110 5.5", "RFC 9110 5.6.3", "RFC 9112 6.3"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Played 0}}": 1}}}
`,
	Played: 1,
	Run: strict(
		attack{name: "vertical tab before", text: chunkHiding("Transfer-Encoding: \x0bchunked\r\n"), status: []int{400, 501}},
		attack{name: "form feed behind", text: chunkHiding("Transfer-Encoding: chunked\x0c\r\n"), status: []int{400, 501}},
		attack{name: "no-break space", text: chunkHiding("Transfer-Encoding: \xc2\xa0chunked\r\n"), status: []int{400, 501}},
		attack{name: "NUL", text: chunkHiding("Transfer-Encoding: \x00chunked\r\n"), status: []int{400, 501}},
	),
}
