package protocol

import (
	"context"

	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that passes both on: the client reads one and the next cache the
// other.
var respTECL = spec.Case{
	ID: "RESP-TE-CL", Level: spec.Must, Needs: []spec.Feature{spec.H1Framing},
	Title: "An answer with both lengths and chunks becomes 502, or reaches the client by its chunks and without the length.",
	Refs:  []string{"RFC 9112 6.3", "RFC 9112 6.1"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "timeout": {"connect": 2, "send": 2, "read": 2}, "nodes": {"{{index .Played 0}}": 1}}}
`,
	Played: 1,
	Run: func(ctx context.Context, t *spec.T) {
		answered(ctx, t,
			oddAnswer{name: "length first", bytes: "HTTP/1.1 200 OK\r\n{marks}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", body: "hello"},
			oddAnswer{name: "chunks first", bytes: "HTTP/1.1 200 OK\r\n{marks}Transfer-Encoding: chunked\r\nContent-Length: 30\r\n\r\n5\r\nhello\r\n0\r\n\r\n", body: "hello"},
		)
	},
}
