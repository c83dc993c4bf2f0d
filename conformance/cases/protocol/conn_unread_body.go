package protocol

import "github.com/unilb/unilb/conformance/spec"

// Catches a gateway that answers 404 and goes on with the bytes of the body.
var connUnreadBody = spec.Case{
	ID: "CONN-UNREAD-BODY", Level: spec.Must, Needs: []spec.Feature{spec.H1Connection},
	Title: "The body of a request that the gateway answers itself does not become the next request.",
	Refs:  []string{"RFC 9112 9.3"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Played 0}}": 1}}}
`,
	Played: 1,
	Run: strict(
		attack{name: "announced", text: elsewhere("Content-Length: %d\r\n", hidden), keeps: true},
		attack{name: "in chunks", text: elsewhere("Transfer-Encoding: chunked\r\n", func(host string) string { return chunk(hidden(host)) + lastChunk }), keeps: true},
	),
}
