package protocol

import "github.com/unilb/unilb/conformance/spec"

// Shows a gateway that drops trailers, which it may: who signs or sums up bodies in
// trailers has to know.
var trailerPassed = spec.Case{
	ID: "TRAILER-PASSED", Level: spec.May, Needs: []spec.Feature{spec.H1Trailers},
	Title: "An announced trailer of a request arrives at the backend.",
	Refs:  []string{"RFC 9110 6.5.1"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Played 0}}": 1}}}
`,
	Played: 1,
	Run: strict(
		attack{name: "announced", text: post("TE: trailers\r\nConnection: TE\r\nTrailer: X-Trail\r\nTransfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\nX-Trail: 1\r\n\r\n"), bodies: []string{"hello"}, accept: true, also: trails("X-Trail", "1")},
	),
}
