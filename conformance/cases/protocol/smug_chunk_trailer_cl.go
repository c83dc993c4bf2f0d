package protocol

import "github.com/unilb/unilb/conformance/spec"

// Catches a gateway that merges trailers into the head: Content-Length, Host and
// Transfer-Encoding from there come after all checks.
var smugChunkTrailerCL = spec.Case{
	ID: "SMUG-CHUNK-TRAILER-CL", Level: spec.Must, Needs: []spec.Feature{spec.H1Framing},
	Title: "Trailers that frame or route a request never become fields of its head, and leave no doubt where it ends.",
	Refs:  []string{"RFC 9110 6.5.1", "RFC 9112 7.1.2"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Played 0}}": 1}}}
`,
	Played: 1,
	Run: strict(
		attack{name: "Content-Length", text: post("Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\nContent-Length: 50\r\n\r\n"), bodies: []string{"hello"}, keeps: true},
		attack{name: "Transfer-Encoding", text: post("Transfer-Encoding: chunked\r\nTrailer: Transfer-Encoding\r\n", "5\r\nhello\r\n0\r\nTransfer-Encoding: identity\r\n\r\n"), bodies: []string{"hello"}, keeps: true},
		attack{name: "Host", text: post("Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\nHost: other.example\r\n\r\n"), bodies: []string{"hello"}, keeps: true},
		attack{name: "Host, announced", text: post("Transfer-Encoding: chunked\r\nTrailer: Host\r\n", "5\r\nhello\r\n0\r\nHost: other.example\r\n\r\n"), bodies: []string{"hello"}, keeps: true},
		attack{name: "Authorization, announced", text: post("Transfer-Encoding: chunked\r\nTrailer: Authorization\r\n", "5\r\nhello\r\n0\r\nAuthorization: Basic eA==\r\n\r\n"), bodies: []string{"hello"}, keeps: true, also: lacks("Authorization")},
	),
}
