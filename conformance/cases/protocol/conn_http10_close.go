package protocol

import "github.com/unilb/unilb/conformance/spec"

// Catches a gateway that keeps connections of HTTP/1.0: the client waits for their end
// to know that the answer is complete.
var connHTTP10Close = spec.Case{
	ID: "CONN-HTTP10-CLOSE", Level: spec.Must, Needs: []spec.Feature{spec.H1Connection},
	Title: "A connection of HTTP/1.0 ends after the answer unless the client asked to keep it.",
	Refs:  []string{"RFC 9112 9.3"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Played 0}}": 1}}}
`,
	Played: 1,
	Run: strict(
		attack{name: "without Connection", text: oldest(""), bodies: []string{""}, accept: true, ends: true},
		attack{name: "with another option", text: oldest("Connection: x-private\r\n"), bodies: []string{""}, accept: true, ends: true},
	),
}
