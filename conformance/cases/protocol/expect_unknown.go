package protocol

import "github.com/unilb/unilb/conformance/spec"

// Catches a gateway that waits for something when it meets an expectation.
var expectUnknown = spec.Case{
	ID: "EXPECT-UNKNOWN", Level: spec.May, Needs: []spec.Feature{spec.H1Expect},
	Title: "An expectation that nobody knows is answered 417, or the request is passed on.",
	Refs:  []string{"RFC 9110 10.1.1"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Played 0}}": 1}}}
`,
	Played: 1,
	Run: strict(
		attack{name: "tea", text: post("Expect: tea\r\nContent-Length: 5\r\n", "hello"), bodies: []string{"hello"}, status: []int{417}, keeps: true},
	),
}
