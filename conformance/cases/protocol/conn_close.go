package protocol

import "github.com/unilb/unilb/conformance/spec"

// Catches a gateway that goes on with a connection that was to end, or serves what was
// already sent behind the last request.
var connClose = spec.Case{
	ID: "CONN-CLOSE", Level: spec.Must, Needs: []spec.Feature{spec.H1Connection},
	Title: "A request with Connection: close is the last one of its connection; what follows it is not served.",
	Refs:  []string{"RFC 9112 9.6"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Played 0}}": 1}}}
`,
	Played: 1,
	Run: strict(
		attack{name: "close", text: last("Connection: close\r\n"), bodies: []string{""}, accept: true, ends: true},
		attack{name: "with a capital", text: last("Connection: Close\r\n"), bodies: []string{""}, accept: true, ends: true},
		attack{name: "in a list", text: last("Connection: x-private, close\r\n"), bodies: []string{""}, accept: true, ends: true},
	),
}
