package protocol

import "github.com/unilb/unilb/conformance/spec"

// Catches a gateway that routes by the first and tells the backend the second: a
// tenant reaches the other's site through his own.
var hostTwice = spec.Case{
	ID: "HOST-TWICE", Level: spec.Must, Needs: []spec.Feature{spec.H1Syntax},
	Title: "A request with two lines Host is answered 400.",
	Refs:  []string{"RFC 9112 3.2"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Played 0}}": 1}}}
`,
	Played: 1,
	Run: strict(
		attack{name: "the other first", text: hosts("other.example", "{host}"), status: []int{400}, keeps: true},
		attack{name: "the other last", text: hosts("{host}", "other.example"), status: []int{400}, keeps: true},
		attack{name: "twice the same", text: hosts("{host}", "{host}"), status: []int{400}, keeps: true},
	),
}
