package protocol

import "github.com/unilb/unilb/conformance/spec"

// Catches a gateway that reads the folded part as a line of its own and misses that
// the body is chunked, and one that passes the fold on.
var smugTEObsFold = spec.Case{
	ID: "SMUG-TE-OBS-FOLD", Level: spec.Must, Needs: []spec.Feature{spec.H1Framing},
	Title: "A Transfer-Encoding that is folded over two lines is refused, or read as one line.",
	Refs:  []string{"RFC 9112 5.2"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Played 0}}": 1}}}
`,
	Played: 1,
	Run: strict(
		attack{name: "folded", text: chunkHiding("Transfer-Encoding:\r\n chunked\r\n"), bodies: []string{"{hidden}"}, status: []int{400, 501}},
		attack{name: "folded, with a length", text: hiding("Transfer-Encoding:\r\n chunked\r\nContent-Length: %d\r\n", "0\r\n\r\n"), bodies: []string{""}, ends: true, status: []int{400, 501}},
	),
}
