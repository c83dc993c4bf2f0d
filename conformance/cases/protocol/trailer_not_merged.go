package protocol

import "github.com/unilb/unilb/conformance/spec"

// Catches a gateway that merges trailers into the head: fields that the gateway itself
// sets, or has checked, come a second time.
var trailerNotMerged = spec.Case{
	ID: "TRAILER-NOT-MERGED", Level: spec.Must, Needs: []spec.Feature{spec.H1Trailers},
	Title: "Trailers of a request arrive as trailers or not at all, never as fields of the head.",
	Refs:  []string{"RFC 9110 6.5.1", "RFC 9112 7.1.2"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Played 0}}": 1}}}
`,
	Played: 1,
	Run: strict(
		attack{name: "announced", text: post("Trailer: X-Trail\r\nTransfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\nX-Trail: 1\r\n\r\n"), bodies: []string{"hello"}, accept: true, also: lacks("X-Trail")},
		attack{name: "not announced", text: post("Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\nX-Trail: 1\r\n\r\n"), bodies: []string{"hello"}, accept: true, also: lacks("X-Trail")},
		attack{name: "a field of the gateway", text: post("Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\nX-Forwarded-For: 192.0.2.1\r\n\r\n"), bodies: []string{"hello"}, keeps: true, also: says("X-Forwarded-For", "192.0.2.1", false)},
	),
}
