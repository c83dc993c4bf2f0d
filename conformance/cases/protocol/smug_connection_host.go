package protocol

import "github.com/unilb/unilb/conformance/spec"

// Catches a gateway that lets a client name in Connection what says to whom a request
// goes or where it ends: whoever obeys takes the field away, and from there on it is
// another request.
var smugConnectionHost = spec.Case{
	ID: "SMUG-CONNECTION-HOST", Level: spec.Should, Needs: []spec.Feature{spec.H1Framing},
	Title: "A request whose Connection names Host or what frames its body is refused and its connection ends.",
	Refs:  []string{"RFC 9110 7.6.1, a field for all recipients is no connection option"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Played 0}}": 1}}}
`,
	Played: 1,
	Run: strict(
		attack{name: "Host", text: lined("Connection: Host\r\n"), status: []int{400}},
		attack{name: "Host beside another, in other letters", text: lined("Connection: X-Other, hOST\r\n"), status: []int{400}},
		attack{name: "Host in a second line", text: lined("Connection: keep-alive\r\nConnection: host\r\n"), status: []int{400}},
		attack{name: "the length", text: hiding("Connection: Content-Length\r\nContent-Length: %d\r\n", ""), status: []int{400}},
		attack{name: "the coding", text: chunkHiding("Connection: transfer-encoding\r\nTransfer-Encoding: chunked\r\n"), status: []int{400}},
	),
}
