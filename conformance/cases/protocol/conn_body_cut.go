package protocol

import "github.com/unilb/unilb/conformance/spec"

// Catches a gateway that makes a whole of what the client could not finish: half an
// upload is stored as if it were all.
var connBodyCut = spec.Case{
	ID: "CONN-BODY-CUT", Level: spec.Must, Needs: []spec.Feature{spec.H1Connection},
	Title: "A request whose body ends before its framing says so never arrives as a whole one.",
	Refs:  []string{"RFC 9112 8"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Played 0}}": 1}}}
`,
	Played: 1,
	Run: strict(
		attack{name: "announced", text: post("Content-Length: 10\r\n", "hello"), cut: true},
		attack{name: "without the last chunk", text: post("Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n"), cut: true},
		attack{name: "within a chunk", text: post("Transfer-Encoding: chunked\r\n", "a\r\nhello"), cut: true},
	),
}
