package protocol

import (
	"context"

	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that passes on an answer whose end is in doubt: the rest of it is
// taken for the answer to the next request, of another client perhaps.
var respCLDiffer = spec.Case{
	ID: "RESP-CL-DIFFER", Level: spec.Must, Needs: []spec.Feature{spec.H1Framing},
	Title: "An answer of the backend with lengths that differ never reaches the client as a whole one.",
	Refs:  []string{"RFC 9112 6.3"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "timeout": {"connect": 2, "send": 2, "read": 2}, "nodes": {"{{index .Played 0}}": 1}}}
`,
	Played: 1,
	Run: func(ctx context.Context, t *spec.T) {
		answered(ctx, t,
			oddAnswer{name: "two lines", bytes: "HTTP/1.1 200 OK\r\n{marks}Content-Length: 5\r\nContent-Length: 10\r\n\r\nhelloworld"},
			oddAnswer{name: "a list", bytes: "HTTP/1.1 200 OK\r\n{marks}Content-Length: 5, 10\r\n\r\nhelloworld"},
		)
	},
}
