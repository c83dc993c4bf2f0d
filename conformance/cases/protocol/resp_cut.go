package protocol

import (
	"context"

	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that makes a whole of half an answer.
var respCut = spec.Case{
	ID: "RESP-CUT", Level: spec.Must, Needs: []spec.Feature{spec.H1Framing},
	Title: "An answer that ends before its framing says so never reaches the client as a whole one.",
	Refs:  []string{"RFC 9112 8"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "timeout": {"connect": 2, "send": 2, "read": 2}, "nodes": {"{{index .Played 0}}": 1}}}
`,
	Played: 1,
	Run: func(ctx context.Context, t *spec.T) {
		answered(ctx, t,
			oddAnswer{name: "announced", bytes: "HTTP/1.1 200 OK\r\n{marks}Content-Length: 10\r\n\r\nhello", close: true},
			oddAnswer{name: "without the last chunk", bytes: "HTTP/1.1 200 OK\r\n{marks}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", close: true},
			oddAnswer{name: "within the head", bytes: "HTTP/1.1 200 OK\r\n{marks}Content-Le", close: true},
		)
	},
}
