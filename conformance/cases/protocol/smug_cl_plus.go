package protocol

import "github.com/unilb/unilb/conformance/spec"

// Catches a gateway whose parser of numbers takes signs: the next one reads a length
// that is no number as none at all.
var smugCLPlus = spec.Case{
	ID: "SMUG-CL-PLUS", Level: spec.Must, Needs: []spec.Feature{spec.H1Framing},
	Title: "A Content-Length with a plus sign is refused and its connection ends.",
	Refs:  []string{"RFC 9110 8.6", "RFC 9112 6.3"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Played 0}}": 1}}}
`,
	Played: 1,
	Run: strict(
		attack{name: "a sign before the digits", text: hiding("Content-Length: +%d\r\n", ""), status: []int{400}},
		attack{name: "a sign behind them", text: hiding("Content-Length: %d+\r\n", ""), status: []int{400}},
	),
}
