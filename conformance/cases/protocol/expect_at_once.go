package protocol

import "github.com/unilb/unilb/conformance/spec"

// Catches a gateway that sends 100 when the body is there already and then loses count
// of its answers.
var expectAtOnce = spec.Case{
	ID: "EXPECT-AT-ONCE", Level: spec.Must, Needs: []spec.Feature{spec.H1Expect},
	Title: "A client that does not wait for 100 loses nothing: the body arrives, and the connection stays in step.",
	Refs:  []string{"RFC 9110 10.1.1"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Played 0}}": 1}}}
`,
	Played: 1,
	Run: strict(
		attack{name: "announced", text: post("Expect: 100-continue\r\nContent-Length: 5\r\n", "hello"), bodies: []string{"hello"}, accept: true},
		attack{name: "in chunks", text: post("Expect: 100-Continue\r\nTransfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\n\r\n"), bodies: []string{"hello"}, accept: true},
	),
}
