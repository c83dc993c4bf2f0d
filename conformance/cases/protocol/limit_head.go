package protocol

import "github.com/unilb/unilb/conformance/spec"

// Catches a gateway that drops lines it has no room for, hangs, or dies.
var limitHead = spec.Case{
	ID: "LIMIT-HEAD", Level: spec.Must, Needs: []spec.Feature{spec.H1Limits},
	Title: "A head of 256 KiB is refused with 431 or another 4xx, or arrives whole.",
	Refs:  []string{"RFC 9110 5.4", "RFC 6585 5"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Played 0}}": 1}}}
`,
	Played: 1,
	Run: strict(
		attack{name: "64 lines of 4 KiB", text: long(64, 4096), bodies: []string{""}, also: counts(64), status: []int{431, 400, 413, 494}},
		attack{name: "one line", text: long(1, 256<<10), bodies: []string{""}, also: counts(1), status: []int{431, 400, 413, 494}},
		attack{name: "8192 lines", text: long(8192, 24), bodies: []string{""}, also: counts(8192), status: []int{431, 400, 413, 494}},
	),
}
