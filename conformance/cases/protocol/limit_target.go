package protocol

import "github.com/unilb/unilb/conformance/spec"

// Catches a gateway that cuts a target, hangs, or dies.
var limitTarget = spec.Case{
	ID: "LIMIT-TARGET", Level: spec.Must, Needs: []spec.Feature{spec.H1Limits},
	Title: "A target of 256 KiB is refused with 414, or arrives whole.",
	Refs:  []string{"RFC 9112 3", "RFC 9110 4.1"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Played 0}}": 1}}}
`,
	Played: 1,
	Run: strict(
		attack{name: "a query", text: farTarget(256 << 10), bodies: []string{""}, also: reaches(256 << 10), status: []int{414, 400, 431, 413}},
	),
}
