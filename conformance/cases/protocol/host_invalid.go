package protocol

import "github.com/unilb/unilb/conformance/spec"

// Catches a gateway that lets into Host what breaks logs, caches and links of those
// behind it.
var hostInvalid = spec.Case{
	ID: "HOST-INVALID", Level: spec.Must, Needs: []spec.Feature{spec.H1Syntax},
	Title: "A request whose Host is no host is answered 400.",
	Refs:  []string{"RFC 9112 3.2"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Played 0}}": 1}}}
`,
	Played: 1,
	Run: strict(
		attack{name: "a blank", text: hosts("{host} x"), status: []int{400}, keeps: true},
		attack{name: "a path", text: hosts("{host}/x"), status: []int{400}, keeps: true},
	),
}
