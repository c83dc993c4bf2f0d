package protocol

import (
	"context"

	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that ends an answer properly where it could not read on: the
// client, or a cache, keeps half of it as if it were all.
var respBadChunk = spec.Case{
	ID: "RESP-BAD-CHUNK", Level: spec.Must, Needs: []spec.Feature{spec.H1Framing},
	Title: "An answer whose chunks are malformed never reaches the client as a whole one.",
	Refs:  []string{"RFC 9112 8", "RFC 9112 7.1"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "timeout": {"connect": 2, "send": 2, "read": 2}, "nodes": {"{{index .Played 0}}": 1}}}
`,
	Played: 1,
	Run: func(ctx context.Context, t *spec.T) {
		answered(ctx, t,
			oddAnswer{name: "no size", bytes: "HTTP/1.1 200 OK\r\n{marks}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\nworld\r\n0\r\n\r\n"},
			oddAnswer{name: "a negative size", bytes: "HTTP/1.1 200 OK\r\n{marks}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n-5\r\nworld\r\n0\r\n\r\n"},
			oddAnswer{name: "no end of the data", bytes: "HTTP/1.1 200 OK\r\n{marks}Transfer-Encoding: chunked\r\n\r\n5\r\nhelloXX0\r\n\r\n"},
		)
	},
}
