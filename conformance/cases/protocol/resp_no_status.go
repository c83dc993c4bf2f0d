package protocol

import (
	"context"

	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that passes on whatever the backend says, or waits for more of
// it.
var respNoStatus = spec.Case{
	ID: "RESP-NO-STATUS", Level: spec.Should, Needs: []spec.Feature{spec.H1Syntax},
	Title: "What is no answer of HTTP/1 becomes 502.",
	Refs:  []string{"RFC 9110 15.6.3", "RFC 9112 4"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "timeout": {"connect": 2, "send": 2, "read": 2}, "nodes": {"{{index .Played 0}}": 1}}}
`,
	Played: 1,
	Run: func(ctx context.Context, t *spec.T) {
		answered(ctx, t,
			oddAnswer{name: "another language", bytes: "220 mail.example ESMTP\r\n\r\n", close: true},
			oddAnswer{name: "no number", bytes: "HTTP/1.1 abc OK\r\nContent-Length: 0\r\n\r\n", close: true},
			oddAnswer{name: "a number of two digits", bytes: "HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n", close: true},
			oddAnswer{name: "nothing", bytes: "", close: true},
		)
	},
}
