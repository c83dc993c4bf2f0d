package protocol

import (
	"context"

	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that guesses the length of an answer.
var respCLInvalid = spec.Case{
	ID: "RESP-CL-INVALID", Level: spec.Must, Needs: []spec.Feature{spec.H1Framing},
	Title: "An answer of the backend whose length is no number never reaches the client as a whole one.",
	Refs:  []string{"RFC 9112 6.3"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "timeout": {"connect": 2, "send": 2, "read": 2}, "nodes": {"{{index .Played 0}}": 1}}}
`,
	Played: 1,
	Run: func(ctx context.Context, t *spec.T) {
		answered(ctx, t,
			oddAnswer{name: "minus", bytes: "HTTP/1.1 200 OK\r\n{marks}Content-Length: -5\r\n\r\nhello"},
			oddAnswer{name: "plus", bytes: "HTTP/1.1 200 OK\r\n{marks}Content-Length: +5\r\n\r\nhello"},
			oddAnswer{name: "letters", bytes: "HTTP/1.1 200 OK\r\n{marks}Content-Length: 5x\r\n\r\nhello"},
		)
	},
}
