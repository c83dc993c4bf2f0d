package protocol

import (
	"context"

	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that passes folds on.
var respObsFold = spec.Case{
	ID: "RESP-OBS-FOLD", Level: spec.Must, Needs: []spec.Feature{spec.H1Syntax},
	Title: "A folded field of an answer reaches the client as one line, or the answer becomes 502.",
	Refs:  []string{"RFC 9112 5.2"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "timeout": {"connect": 2, "send": 2, "read": 2}, "nodes": {"{{index .Played 0}}": 1}}}
`,
	Played: 1,
	Run: func(ctx context.Context, t *spec.T) {
		answered(ctx, t,
			oddAnswer{name: "a field", bytes: "HTTP/1.1 200 OK\r\n{marks}X-Fold: one\r\n two\r\nContent-Length: 5\r\n\r\nhello", body: "hello", also: cleanFields},
		)
	},
}
