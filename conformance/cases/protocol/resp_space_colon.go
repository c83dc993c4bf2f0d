package protocol

import (
	"context"

	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that passes such a field of an answer on as it came.
var respSpaceColon = spec.Case{
	ID: "RESP-SPACE-COLON", Level: spec.Must, Needs: []spec.Feature{spec.H1Syntax},
	Title: "White space between the name of a field and its colon does not reach the client.",
	Refs:  []string{"RFC 9112 5.1"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "timeout": {"connect": 2, "send": 2, "read": 2}, "nodes": {"{{index .Played 0}}": 1}}}
`,
	Played: 1,
	Run: func(ctx context.Context, t *spec.T) {
		answered(ctx, t,
			oddAnswer{name: "a field", bytes: "HTTP/1.1 200 OK\r\n{marks}X-Gap : 1\r\nContent-Length: 5\r\n\r\nhello", body: "hello", also: cleanFields},
		)
	},
}
